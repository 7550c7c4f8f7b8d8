"""Besu's permissions file: which nodes may connect and which accounts may send, as TOML.

Besu itself rewrites the file at each `perm_*` call, so what is read back has Besu's layout, and
addresses and enodes in other spellings than were written: both sides are compared by value.
"""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from consortium.kernel.errors import InvalidInputError
from consortium.kernel.secp256k1 import checksum_address
from contracts.network.enodes import Enode, parse_enode
from contracts.network.errors import AllowListError, EnodeError

NODES_KEY = "nodes-allowlist"
ACCOUNTS_KEY = "accounts-allowlist"


@dataclass(frozen=True, slots=True)
class AllowList:
    """Nodes in order of their enodes, accounts (checksummed) in order; each once."""

    nodes: tuple[Enode, ...] = ()
    accounts: tuple[str, ...] = ()

    @classmethod
    def of(cls, nodes: Iterable[Enode], accounts: Iterable[str]) -> "AllowList":
        """Put in order what may hold things twice."""
        return cls(tuple(sorted(set(nodes), key=str)), tuple(sorted({checksum_address(a) for a in accounts})))

    def to_toml(self) -> str:
        """The file's text, the same for equal lists."""
        nodes = _lines(str(node) for node in self.nodes)
        accounts = _lines(account.lower() for account in self.accounts)
        return f"{NODES_KEY}=[{nodes}]\n{ACCOUNTS_KEY}=[{accounts}]\n"


def parse_allow_list(content: bytes) -> AllowList:
    """Read a permissions file, ours or one that Besu wrote.

    Raises
    ------
    AllowListError
        If it is no TOML, has other keys, or holds what is no enode or address.
    """
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AllowListError("The permissions file is not TOML. Write it anew.") from error
    if unknown := document.keys() - {NODES_KEY, ACCOUNTS_KEY}:
        raise AllowListError(f"The permissions file has unknown {', '.join(sorted(unknown))}. Remove it.")
    try:
        nodes = [parse_enode(text) for text in _texts(document, NODES_KEY)]
        return AllowList.of(nodes, _texts(document, ACCOUNTS_KEY))
    except (EnodeError, InvalidInputError) as error:
        raise AllowListError(f"The permissions file holds what is none: {error.message}") from error


def _texts(document: dict[str, object], key: str) -> list[str]:
    found = document.get(key, [])
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise AllowListError(f"{key} in the permissions file must be a list of texts.")
    return found


def _lines(items: Iterable[str]) -> str:
    return ",".join(json.dumps(item) for item in items)
