"""Who is connected to a node, by the address under which the registry knows a node."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from contracts.errors import ChainInternalError
from contracts.network.asking import Node
from contracts.network.enodes import Enode, address_of_node, parse_enode, parse_node_key
from contracts.network.errors import EnodeError


@dataclass(frozen=True, slots=True)
class Peer:
    """A connected node: its address, and the block that it announced last (0x-hex)."""

    address: str
    announced: str


def read_peers(operations: Node) -> list[Peer]:
    """The nodes connected now; needs ADMIN, so the operations port."""
    found = operations.ask("admin_peers")
    if not isinstance(found, list):
        raise ChainInternalError("The node's list of peers is no list.")
    return [_peer(row) for row in found]


def own_enode(node: Node) -> Enode:
    """The node's own name; `EnodeError` if it tells none."""
    return parse_enode(str(node.ask("net_enode")))


def permitted_nodes(operations: Node) -> list[Enode]:
    """The nodes on the allow-list; needs PERM, so the operations port."""
    found = operations.ask("perm_getNodesAllowlist")
    if not isinstance(found, list):
        raise ChainInternalError("The node's allow-list is no list.")
    return [parse_enode(str(text)) for text in found]


def addresses(peers: Iterable[Peer]) -> set[str]:
    return {peer.address for peer in peers}


def _peer(row: Any) -> Peer:
    try:
        return Peer(address_of_node(parse_node_key(row["id"])), str(row["protocols"]["eth"]["head"]))
    except (KeyError, TypeError, EnodeError) as error:
        raise ChainInternalError("The node describes a peer in a form that is not known here.") from error
