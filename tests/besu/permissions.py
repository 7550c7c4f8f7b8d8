"""Local permissioning: the allow-lists of nodes and accounts in a file, changed by `perm_*` and read by `reload`."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.besu import refusals

# Host names are refused: an address only (Besu asks for numbers, unless DNS is enabled for nodes).
_ENODE = re.compile(r"enode://[0-9a-f]{128}@(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\]):\d{1,5}(\?discport=\d{1,5})?\Z")
_ACCOUNT = re.compile(r"0x[0-9a-f]{40}\Z")


@dataclass
class Permissions:
    """Lists of one node; None means that this kind is not enabled. `fixed` are its boot and static nodes.

    With `is_read_only` the file cannot be written, and nothing is changed (by Besu's source, not recorded).

    Not idempotent, all or nothing, and written to the file at each change (`nodes-allowlist`, `accounts-allowlist`).
    """

    nodes: list[str] | None = None
    accounts: list[str] | None = None
    fixed: tuple[str, ...] = ()
    path: Path | None = None
    is_read_only: bool = False
    writes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.nodes = None if self.nodes is None else list(self.nodes)
        self.accounts = None if self.accounts is None else [account.lower() for account in self.accounts]
        missing = [node for node in self.fixed if self.nodes is not None and node not in self.nodes]
        if missing:
            # A real node ends with this fault at its start.
            raise ValueError(f"Boot and static nodes must be on the allow list: {missing}")
        self._write()

    def allows_account(self, address: str) -> bool:
        return self.accounts is None or address.lower() in self.accounts

    def allows_node(self, enode: str) -> bool:
        return self.nodes is None or enode.partition("?")[0] in {node.partition("?")[0] for node in self.nodes}

    def add_nodes(self, given: Any) -> str:
        self._require_enabled(self.nodes, "Node")
        new = _checked(given, "node", _ENODE)
        self._refuse_if(any(node in self._nodes for node in new), "Cannot add an existing node to allowlist")
        self._require_writable()
        self._nodes.extend(new)
        return self._write()

    def remove_nodes(self, given: Any) -> str:
        self._require_enabled(self.nodes, "Node")
        old = _checked(given, "node", _ENODE)
        fixed = any(node in self.fixed for node in old)
        self._refuse_if(fixed, "Cannot remove a fixed node (bootnode or static node) from allowlist")
        self._refuse_if(any(n not in self._nodes for n in old), "Cannot remove an absent node from allowlist")
        self._require_writable()
        self.nodes = [node for node in self._nodes if node not in old]
        return self._write()

    def add_accounts(self, given: Any) -> str:
        self._require_enabled(self.accounts, "Account")
        new = _checked(given, "account", _ACCOUNT)
        there = any(account in self._accounts for account in new)
        self._refuse_if(there, "Cannot add an existing account to allowlist")
        self._require_writable()
        self._accounts.extend(new)
        return self._write()

    def remove_accounts(self, given: Any) -> str:
        self._require_enabled(self.accounts, "Account")
        old = _checked(given, "account", _ACCOUNT)
        absent = any(account not in self._accounts for account in old)
        self._refuse_if(absent, "Cannot remove an absent account from allowlist")
        self._require_writable()
        self.accounts = [account for account in self._accounts if account not in old]
        return self._write()

    def list_nodes(self) -> list[str]:
        self._require_enabled(self.nodes, "Node")
        return list(self._nodes)

    def list_accounts(self) -> list[str]:
        self._require_enabled(self.accounts, "Account")
        return list(self._accounts)

    def reload(self) -> str:
        """Take the lists from the file again."""
        if self.nodes is None and self.accounts is None:
            raise refusals.server_error("Node/Account allowlist has not been enabled")
        if self.path is not None:
            found = tomllib.loads(self.path.read_text())
            self.nodes = found.get("nodes-allowlist", self.nodes)
            self.accounts = found.get("accounts-allowlist", self.accounts)
        return "Success"

    @property
    def _nodes(self) -> list[str]:
        return self.nodes if self.nodes is not None else []

    @property
    def _accounts(self) -> list[str]:
        return self.accounts if self.accounts is not None else []

    def _require_enabled(self, listed: list[str] | None, kind: str) -> None:
        self._refuse_if(listed is None, f"{kind} allowlist has not been enabled")

    def _require_writable(self) -> None:
        text = "Unable to persist changes to allowlist configuration file. Changes reverted"
        self._refuse_if(self.is_read_only, text)

    def _refuse_if(self, condition: bool, text: str) -> None:
        if condition:
            raise refusals.server_error(text)

    def _write(self) -> str:
        lists = (("nodes-allowlist", self.nodes), ("accounts-allowlist", self.accounts))
        text = "".join(f"{name}={_toml(found)}\n" for name, found in lists if found is not None)
        self.writes.append(text)
        if self.path is not None:
            self.path.write_text(text)
        return "Success"


def _checked(given: Any, kind: str, form: re.Pattern[str]) -> list[str]:
    """The list of one parameter, in the order in which Besu finds fault with it."""
    if not isinstance(given, list):
        raise refusals.invalid_params(f"Invalid {kind} params")
    found = [str(text).lower() if kind == "account" else str(text) for text in given]
    if not found:
        raise refusals.server_error(f"Request contains an empty list of {kind}s")
    if any(not form.match(text) for text in found):
        article = "an invalid"
        raise refusals.server_error(f"Request contains {article} {kind}")
    if len(set(found)) != len(found):
        raise refusals.server_error(f"Request contains duplicate {kind}s")
    return found


def _toml(items: Iterable[str]) -> str:
    return "[" + ",".join(f'"{item}"' for item in items) + "]"
