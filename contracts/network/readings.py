"""What one node says of itself, taken at one moment; a node that does not answer is a reading too."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from consortium.kernel.errors import ConsiliumError
from contracts.network.asking import NamedNode
from contracts.network.headers import read_header


@dataclass(frozen=True, slots=True)
class Reading:
    """A node's height, age of its head in seconds, hash of its genesis, peers; or its fault."""

    name: str
    height: int = 0
    age_seconds: int = 0
    genesis: str = ""
    peers: int | None = None
    fault: str = ""


def read_nodes(nodes: Iterable[NamedNode], *, now: float | None = None) -> list[Reading]:
    """Ask each node by itself: fail-over would hide the one that is away."""
    return [_read(node, time.time() if now is None else now) for node in nodes]


def _read(named: NamedNode, now: float) -> Reading:
    try:
        head, genesis = read_header(named.node, "latest"), read_header(named.node, 0)
        return Reading(
            name=named.name,
            height=int(head["number"], 16),
            age_seconds=max(0, int(now) - int(head["timestamp"], 16)),
            genesis=str(genesis["hash"]),
            peers=_peers(named),
        )
    except ConsiliumError as error:
        return Reading(named.name, fault=error.message)
    except (KeyError, ValueError):
        return Reading(named.name, fault="Its answers are not those of a node of ours.")


def _peers(named: NamedNode) -> int | None:
    try:
        return int(named.node.ask("net_peerCount"), 16)
    except (ConsiliumError, TypeError, ValueError):
        # Not every node that answers programs serves NET; the rest of the reading stands.
        return None
