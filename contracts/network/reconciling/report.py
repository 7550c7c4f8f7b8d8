"""What a comparison came to, in points for people and monitoring."""

from collections.abc import Iterable, Mapping

from contracts.errors import PermissionsRefusal
from contracts.network.points import Point, State
from contracts.network.reconciling.plan import LEFT, Plan, Word
from contracts.network.reconciling.sight import Sight

_REFUSED: Mapping[PermissionsRefusal, tuple[str, str]] = {
    PermissionsRefusal.FIXED: (
        "It does not belong, and the node keeps it, since it is one of its boot or static nodes: %s.",
        "Take it out of static-nodes.json and restart the node; then it is removed.",
    ),
    PermissionsRefusal.INVALID: (
        "The node does not take %s.",
        "Ask that member for its enode with an IP address, as `net_enode` of its node shows it.",
    ),
}
_OTHER = ("The node refused %s.", "Read the node's log.")


def registry_point(word: Word) -> Point:
    """Whether the registries could be read, and how many nodes belong."""
    if word.registered is None:
        return Point("registry", State.WRONG, word.fault, "Until it can be read nobody is removed.")
    text = f"The registries list {len(word.members)} nodes that belong."
    return Point("registry", State.WELL, text, figures={"members": sorted(word.members)})


def head_point(sight: Sight, max_age_seconds: int) -> Point:
    """Whether the node's newest block is young enough to tell who belongs."""
    figures = {"height": sight.height, "age_seconds": sight.age_seconds}
    text = f"Block {sight.height}, {sight.age_seconds} s old."
    if sight.age_seconds > max_age_seconds:
        return Point("head", State.WRONG, text, "Bring the node up to date. Until then nobody is removed.", figures)
    return Point("head", State.WELL, text, figures=figures)


def nodes_point(rest: Plan, sight: Sight, *, repairs: bool) -> Point:
    """Whether the list has whom it should have; `rest` is what is still to be done."""
    count = len(sight.nodes)
    lacks, has = [str(one) for one in rest.add_nodes], [entry.text for entry in rest.remove_nodes]
    if not lacks and not has:
        return Point("nodes", State.WELL, f"The allow-list has {count} nodes, as it should.", figures={"count": count})
    said = _said(lacks, has, rest, {entry.text: entry.address for entry in rest.remove_nodes})
    return _differs("nodes", said, {"lacks": lacks, "has": has}, repairs=repairs)


def accounts_point(rest: Plan, word: Word, sight: Sight, *, repairs: bool) -> Point:
    """Whether those accounts may send that site.toml names."""
    if not word.accounts:
        text = "site.toml names no accounts, so the node's stay as they are."
        return Point("accounts", State.NOT_APPLICABLE, text)
    lacks, has = list(rest.add_accounts), list(rest.remove_accounts)
    if not lacks and not has:
        text = f"{len(sight.accounts)} accounts may send, as it should be."
        return Point("accounts", State.WELL, text, figures={"count": len(sight.accounts)})
    return _differs("accounts", _said(lacks, has, rest, {}), {"lacks": lacks, "has": has}, repairs=repairs)


def refused_points(refused: Mapping[str, PermissionsRefusal]) -> list[Point]:
    """One point for each entry that the node refuses."""
    found = []
    for entry, kind in sorted(refused.items()):
        text, remedy = _REFUSED.get(kind, _OTHER)
        found.append(Point(f"refused, {kind}", State.WRONG, text % entry, remedy, {"entry": entry}))
    return found


def missing_points(rest: Plan, word: Word, sight: Sight) -> list[Point]:
    """Nodes that belong and are nowhere: one that makes blocks is missed at once, another is waited for."""
    bad = {offer.address: offer for offer in word.offers.bad}
    found = []
    for address in rest.missing:
        said = f" {bad[address].source} says {bad[address].text}: {bad[address].fault}" if address in bad else ""
        state = State.WRONG if address in sight.validators else State.WAITING
        text = f"The node {address} belongs, and nobody says where it is.{said}"
        remedy = "Ask that member for its enode (`net_enode` of its node) and put it into a file that site.toml names."
        found.append(Point("missing", state, text, remedy, {"address": address}))
    return found


def offers_points(word: Word) -> list[Point]:
    """What was offered and is no enode that Besu takes; who said it, so that they can be asked."""
    return [
        Point("offers", State.WAITING, f"{bad.source} says {bad.text}: {bad.fault}", "Ask who wrote it.")
        for bad in word.offers.bad
    ]


def entries_points(sight: Sight) -> list[Point]:
    """Entries of the list that are in no form known here, and so cannot be judged."""
    odd = [entry.text for entry in sight.nodes if not entry.address]
    remedy = "Remove it by hand (perm_removeNodesFromAllowlist)."
    return [Point("entries", State.WRONG, f"On the list is what is no enode: {text}.", remedy) for text in odd]


def peers_point(connected: Iterable[str], sight: Sight) -> Point:
    """Whether only those are connected who belong."""
    if left := sorted(connected):
        text = f"Connected, and does not belong: {', '.join(left)}."
        return Point("peers", State.WRONG, text, "It is disconnected again at the next look.", {"strangers": left})
    return Point("peers", State.WELL, "Nobody is connected who does not belong.", figures={"count": len(sight.peers)})


def _differs(name: str, said: str, figures: Mapping[str, object], *, repairs: bool) -> Point:
    remedy = "It is tried again at the next look." if repairs else "repair_allow_list is false: correct it by hand."
    return Point(name, State.WRONG, f"The allow-list differs. {said}.", remedy, figures)


def _said(lacks: list[str], has: list[str], plan: Plan, address_of: Mapping[str, str]) -> str:
    parts = [f"It lacks {one}" for one in lacks]
    for entry in has:
        left = plan.reasons.get(address_of.get(entry, entry)) == LEFT
        parts.append(f"It has {entry}, {'whose organization was removed' if left else 'which nothing names'}")
    return "; ".join(parts)
