"""[node] of site.toml: what the reconciler knows of the member's own node beside what the registries say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.errors import ConfigurationError
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.secp256k1 import checksum_address
from contracts.network.enodes import parse_enode
from contracts.network.errors import EnodeError
from contracts.network.predeployed import SOURCE_ADDRESS

_WORDS = ("allow_list_file", "validator_source")
_LISTS = ("enodes", "enode_files", "also_permitted", "accounts")


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """`allow_list_file` is the node's permissions file, read only; relative paths lie in the site's folder.

    `enodes` and `enode_files` (texts of any form) say where members' nodes are: each counts if a registry lists its
    key. `also_permitted` are enodes that no registry lists and this member permits. `accounts` may send
    transactions; none leaves the node's list of accounts as it is. `validator_source` is the contract from which the
    network reads its validators: the registry that writes it decides who belongs.
    """

    allow_list_file: str = ""
    enodes: tuple[str, ...] = ()
    enode_files: tuple[str, ...] = ()
    also_permitted: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    validator_source: str = SOURCE_ADDRESS

    def __post_init__(self) -> None:
        for name in ("enodes", "also_permitted"):
            for text in getattr(self, name):
                _require(name, text, parse_enode, EnodeError)
        for text in self.accounts:
            _require("accounts", text, checksum_address, InvalidInputError)
        _require("validator_source", self.validator_source, checksum_address, InvalidInputError)

    def to_toml(self) -> list[str]:
        """Return the table's lines; none for what is the default."""
        if self == NodeSettings():
            return []
        given = {name: getattr(self, name) for name in _WORDS if getattr(self, name) != getattr(NodeSettings(), name)}
        lines = [f"{name} = {json.dumps(value)}" for name, value in given.items()]
        lists = ((name, getattr(self, name)) for name in _LISTS)
        return ["[node]", *lines, *(f"{name} = {json.dumps(list(found))}" for name, found in lists if found), ""]


def read_node(table: Mapping[str, Any]) -> NodeSettings:
    """Read the table strictly; `ConfigurationError` names the key."""
    if unknown := table.keys() - set(NodeSettings.__dataclass_fields__):
        raise ConfigurationError(f"site.toml: unknown node.{', node.'.join(sorted(unknown))}. Remove it.")
    words = {name: table[name] for name in _WORDS if name in table}
    if wrong := [name for name, value in words.items() if type(value) is not str]:
        raise ConfigurationError(f"site.toml: node.{wrong[0]} must be a text.")
    given: dict[str, Any] = words | {name: _texts(table, name) for name in _LISTS}
    return NodeSettings(**given)


def _texts(table: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = table.get(name, [])
    if type(found) is not list or not all(type(text) is str for text in found):
        raise ConfigurationError(f"site.toml: node.{name} must be a list of texts.")
    return tuple(found)


def _require(name: str, text: str, read: Any, fault: type[InvalidInputError]) -> None:
    try:
        read(text)
    except fault as error:
        raise ConfigurationError(f"site.toml: node.{name}: {error.message}") from error
