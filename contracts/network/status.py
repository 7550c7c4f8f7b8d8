"""How a network is, as our nodes see it: heights, quorum, turns, peers."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass

from consortium.kernel.errors import ConsiliumError
from contracts.network.asking import NamedNode
from contracts.network.peers import addresses, own_enode, read_peers
from contracts.network.points import Point, State
from contracts.network.quorum import may_fail, quorum_of
from contracts.network.readings import Reading, read_nodes
from contracts.network.turns import Turns, read_turns, validators_after

# A network without quorum answers everything else as before: only the age of its head tells.
MAX_AGE_SECONDS = 30
# Nodes of one network are milliseconds apart; a few blocks more are a slow disk, and no alarm.
MAX_BEHIND_BLOCKS = 5
LOST_QUORUM = "Are two thirds of the validators up and connected? Bring them back; the operator's guide says how."


@dataclass(frozen=True)
class Watch:
    """What is looked at.

    `nodes` answer programs; `operations` are their second ports, where they are within reach. `registered`
    are the addresses of the members' nodes, None where this process may not read them.
    """

    nodes: Sequence[NamedNode]
    operations: Sequence[NamedNode] = ()
    registered: Collection[str] | None = None
    is_development: bool = False


def network_status(watch: Watch, *, now: float | None = None) -> list[Point]:
    """Look at everything once; nothing is raised, what cannot be seen is a point that says so."""
    readings = read_nodes(watch.nodes, now=time.time() if now is None else now)
    ours = _of_one_chain(readings)
    points = [*(_node(reading, ours) for reading in readings), _head(ours)]
    if watch.is_development:
        return [*points, _DEVELOPMENT]
    if not ours:
        return points
    best = next(node for node in watch.nodes if node.name == ours[0].name)
    return [*points, *_consensus(best, ours[0].height), _peers(watch)]


def _of_one_chain(readings: Iterable[Reading]) -> list[Reading]:
    """Those that answer and share the genesis of most, the highest first: one strayed node blames no other."""
    up = [row for row in readings if not row.fault]
    genesis = Counter(row.genesis for row in up).most_common(1)
    return sorted((row for row in up if row.genesis == genesis[0][0]), key=lambda row: -row.height)


def _node(row: Reading, ours: Sequence[Reading]) -> Point:
    name, figures = f"node {row.name}", asdict(row)
    if row.fault:
        return Point(name, State.WRONG, row.fault, "Start it, or correct CHAIN_RPC_URL.", figures)
    peers = "" if row.peers is None else f", {row.peers} peers"
    text = f"Block {row.height}, {row.age_seconds} s old{peers}."
    if row not in ours:
        return Point(
            name, State.WRONG, f"{text} It is on another chain.", "Give it the members' genesis.json.", figures
        )
    if (lag := ours[0].height - row.height) > MAX_BEHIND_BLOCKS:
        behind = f"{text} It is {lag} blocks behind."
        return Point(name, State.WRONG, behind, "Does it have peers, a right clock, and room on its disk?", figures)
    return Point(name, State.WELL, text, figures=figures)


def _head(ours: Sequence[Reading]) -> Point:
    if not ours:
        return Point("head", State.WRONG, "No node answers.", "Start a node, or correct CHAIN_RPC_URL.")
    newest = ours[0]
    figures = {"height": newest.height, "age_seconds": newest.age_seconds}
    text = f"The newest block, {newest.height}, is {newest.age_seconds} s old."
    if newest.age_seconds > MAX_AGE_SECONDS:
        return Point("head", State.WRONG, f"{text} The chain stands still.", LOST_QUORUM, figures)
    return Point("head", State.WELL, text, figures=figures)


def _consensus(best: NamedNode, head: int) -> list[Point]:
    try:
        validators = validators_after(best.node, head)
        turns = read_turns(best.node, head)
    except ConsiliumError as error:
        remedy = "The node must serve QBFT (--rpc-http-api) and be one of a QBFT network."
        return [Point("quorum", State.UNKNOWN, f"The validators cannot be read: {error.message}", remedy)]
    return [_validators(validators), quorum_point(validators, turns), turns_point(validators, turns)]


def _validators(validators: Sequence[str]) -> Point:
    return Point("validators", State.WELL, f"In force: {', '.join(validators)}.", figures={"addresses": validators})


def quorum_point(validators: Sequence[str], turns: Turns) -> Point:
    """How many validators may still fail: those that are silent have failed already."""
    count, silent = len(validators), sorted(set(validators) & turns.silent)
    margin = may_fail(count) - len(silent)
    figures = {"validators": count, "quorum": quorum_of(count), "margin": margin, "silent": silent}
    text = f"{count} validators, of which {quorum_of(count)} must seal a block; {max(margin, 0)} more may fail."
    if margin > 0:
        return Point("quorum", State.WELL, text, figures=figures)
    said = f" {len(silent)} silent: {', '.join(silent)}." if silent else ""
    remedy = "Bring the silent ones back before another fails." if silent else "Activate more validators by vote."
    return Point("quorum", State.WRONG, text + said, remedy, figures)


def turns_point(validators: Sequence[str], turns: Turns) -> Point:
    """Which turns to propose passed without a block."""
    silent = sorted(set(validators) & turns.silent)
    figures = {"first_block": turns.first, "last_block": turns.last, "missed": dict(turns.missed), "silent": silent}
    text = f"{turns.missed_count} turns missed in blocks {turns.first} to {turns.last}."
    if not silent:
        return Point("turns", State.WELL, text, figures=figures)
    who = ", ".join(f"{address} ({turns.missed[address]})" for address in silent)
    return Point("turns", State.WRONG, f"{text} Silent: {who}.", "Ask that member whether its node is up.", figures)


def _peers(watch: Watch) -> Point:
    if not watch.operations:
        remedy = "Name the nodes' operations ports in CHAIN_OPERATIONS_URL, on their own machine."
        return Point("peers", State.UNKNOWN, "Who is connected cannot be seen from here.", remedy)
    if watch.registered is None:
        return Point("peers", State.UNKNOWN, "The registry's nodes cannot be read.", "Ask as the system's role.")
    if not watch.registered:
        # A network that starts: its nodes are connected, and nothing says yet whose they are.
        text = "No registry lists a node yet, so nobody is held to one."
        return Point("peers", State.UNKNOWN, text, "Found the consortium, and let the projector read it.")
    try:
        own = {own_enode(node.node).address for node in (*watch.nodes, *watch.operations)}
        seen = [(node.name, addresses(read_peers(node.node))) for node in watch.operations]
    except ConsiliumError as error:
        return Point("peers", State.UNKNOWN, error.message, "Check CHAIN_OPERATIONS_URL and its token.")
    return peers_point(seen, registered=set(watch.registered), own=own)


def peers_point(seen: Sequence[tuple[str, set[str]]], *, registered: set[str], own: set[str]) -> Point:
    """Hold each node's peers to the registry; nodes of ours belong, whether they validate or not."""
    missing = {name: sorted(registered - own - peers) for name, peers in seen}
    strangers = {name: sorted(peers - registered - own) for name, peers in seen}
    figures = {"registered": sorted(registered), "missing": missing, "strangers": strangers}
    said = [f"{name} lacks {', '.join(rows)}" for name, rows in missing.items() if rows]
    said += [f"{name} has strangers: {', '.join(rows)}" for name, rows in strangers.items() if rows]
    if said:
        remedy = "Compare the allow-lists with the registry: is a node down, not permitted, or not removed?"
        return Point("peers", State.WRONG, f"{'; '.join(said)}.", remedy, figures)
    return Point("peers", State.WELL, "Every registered node is connected, and nobody else.", figures=figures)


_DEVELOPMENT = Point(
    "quorum",
    State.NOT_APPLICABLE,
    "A development chain: one node makes every block, so validators, quorum, turns and peers do not apply.",
)
