"""What the node says of itself before anything is changed: its head, its allow-lists, its peers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consortium.kernel.errors import InvalidInputError
from consortium.kernel.secp256k1 import checksum_address
from contracts.errors import ChainInternalError
from contracts.network.asking import Node
from contracts.network.enodes import Enode, parse_enode
from contracts.network.errors import EnodeError
from contracts.network.headers import read_header
from contracts.network.peers import own_enode
from contracts.network.reconciling.offers import address_in
from contracts.network.turns import validators_after


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of the node's list in the node's own spelling; `enode` None where it is in no form known here."""

    text: str
    address: str
    enode: Enode | None


@dataclass(frozen=True, slots=True)
class Sight:
    """One look. `validators` are those in force, `peers` the enodes of connected nodes by address."""

    height: int
    age_seconds: int
    own: Enode
    validators: frozenset[str]
    nodes: tuple[Listed, ...]
    accounts: tuple[str, ...]
    peers: Mapping[str, str]

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses of the nodes that are on the list."""
        return frozenset(entry.address for entry in self.nodes if entry.address)


def read_sight(operations: Node, *, now: float, with_accounts: bool) -> Sight:
    """Ask everything that a comparison needs.

    Raises
    ------
    ChainError, EnodeError
        If the node does not answer, or its lists are not enabled.
    """
    head = read_header(operations, "latest")
    height = int(head["number"], 16)
    return Sight(
        height=height,
        age_seconds=max(0, int(now) - int(head["timestamp"], 16)),
        own=own_enode(operations),
        validators=frozenset(checksum_address(one) for one in validators_after(operations, height)),
        nodes=read_nodes(operations),
        accounts=read_accounts(operations) if with_accounts else (),
        peers=read_connected(operations),
    )


def read_nodes(operations: Node) -> tuple[Listed, ...]:
    """The allow-list of nodes; an entry that is none is kept as it is."""
    return tuple(_listed(text) for text in _texts(operations, "perm_getNodesAllowlist"))


def read_accounts(operations: Node) -> tuple[str, ...]:
    """The allow-list of accounts, checksummed."""
    try:
        return tuple(checksum_address(text) for text in _texts(operations, "perm_getAccountsAllowlist"))
    except InvalidInputError as error:
        raise ChainInternalError("The node's list of accounts holds what is none.") from error


def read_connected(operations: Node) -> dict[str, str]:
    """The enodes of the peers by address; one whose key cannot be read is passed over, since it has none to permit."""
    found = operations.ask("admin_peers")
    if not isinstance(found, list):
        raise ChainInternalError("The node's list of peers is no list.")
    enodes = [str(row.get("enode", "")) for row in found if isinstance(row, Mapping)]
    return {address: text for text in enodes if (address := address_in(text))}


def _listed(text: str) -> Listed:
    try:
        enode = parse_enode(text)
    except EnodeError:
        return Listed(text, address_in(text), None)
    return Listed(text, enode.address, enode)


def _texts(operations: Node, method: str) -> Sequence[str]:
    found: Any = operations.ask(method)
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise ChainInternalError(f"The node's answer to {method} is no list of texts.")
    return found
