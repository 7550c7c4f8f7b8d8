"""What keeps a reconciler from locking its own node out: when a removal is held back, and why.

Additions need no guard: a node is added only if a registry lists its key. A wrong removal takes a member out of the
network, and enough of them stop the chain, so each doubt keeps the list as it is and alarms.
"""

from dataclasses import replace

from contracts.network.points import Point, State
from contracts.network.quorum import quorum_of
from contracts.network.reconciling.plan import Plan, Word
from contracts.network.reconciling.sight import Listed, Sight

NAME = "removals"


def guard(
    plan: Plan,
    word: Word,
    sight: Sight,
    *,
    max_age_seconds: int,
    accepted: int = 0,
    removed: frozenset[str] = frozenset(),
) -> tuple[Plan, list[Point], frozenset[str]]:
    """Hold back removals of nodes that are in doubt.

    Parameters
    ----------
    accepted : int
        How many nodes a person has agreed to remove in this look; up to a third of the validators needs nobody.
    removed : addresses
        Those that this look has removed already.

    Returns
    -------
    The plan without them, a point for each reason, and the addresses of the nodes that were held back.
    """
    if not plan.remove_nodes:
        return plan, [], frozenset()
    if reason := doubt(word, sight, max_age_seconds):
        return _without_all(plan, reason)
    in_force = [entry for entry in plan.remove_nodes if entry.address in sight.validators]
    rest = [entry for entry in plan.remove_nodes if entry not in in_force]
    held = [_validates(in_force)] if in_force else []
    if reason := _too_many(rest, plan, sight, accepted, removed):
        return _without_all(plan, reason, *held)
    addresses = frozenset(entry.address for entry in in_force)
    return replace(plan, remove_nodes=tuple(rest)), held, addresses


def doubt(word: Word, sight: Sight, max_age_seconds: int) -> Point | None:
    """Why nothing that the registries say now may take a node away."""
    if word.registered is None:
        text = f"Nobody is removed, since the registries cannot be read: {word.fault}"
        return Point(
            NAME, State.WRONG, text, "Make the node answer, or let the agent check the consortium's contracts."
        )
    if not word.members:
        return Point(NAME, State.WRONG, "Nobody is removed, since no registry lists a node.", "Is it the right chain?")
    if sight.age_seconds > max_age_seconds:
        text = f"Nobody is removed, since this node's newest block is {sight.age_seconds} s old."
        return Point(NAME, State.WRONG, text, "A node that lags does not know who has come back. Bring it up to date.")
    if sight.height < word.height:
        text = f"Nobody is removed before this node has block {word.height}, at which the registries were read."
        return Point(NAME, State.WAITING, text, "It is looked at again in a moment.")
    if not sight.validators:
        text = "Nobody is removed, since the node names no validators in force."
        return Point(NAME, State.WRONG, text, "The operations port serves QBFT, and the token permits qbft:*.")
    return None


def _too_many(rest: list[Listed], plan: Plan, sight: Sight, accepted: int, removed: frozenset[str]) -> Point | None:
    leaving = {entry.address for entry in rest}
    if not leaving:
        return None
    named = ", ".join(sorted(leaving))
    staying = (sight.addresses - leaving) | {enode.address for enode in plan.add_nodes} | {sight.own.address}
    needed = quorum_of(len(sight.validators))
    if len(staying) < needed:
        text = f"Removing {named} would leave {len(staying)} nodes, and {needed} make a quorum."
        return Point(
            NAME, State.WRONG, text, "Name the members' enodes first, then look again.", {"held": sorted(leaving)}
        )
    limit = max(1, len(sight.validators) // 3, accepted)
    if len(leaving | removed) > limit:
        text = f"{len(leaving | removed)} nodes would be removed at once, and {limit} may be: {named}."
        remedy = f"If that is right: consilium-site reconcile --once --accept-removals {len(leaving)}"
        return Point(NAME, State.WRONG, text, remedy, {"held": sorted(leaving)})
    return None


def _validates(entries: list[Listed]) -> Point:
    named = ", ".join(sorted({entry.address for entry in entries}))
    text = f"Not removed, since it makes blocks, though no registry lists it: {named}."
    remedy = "The members take it off the validators' list by vote; a node of your own knowledge goes into site.toml."
    return Point(NAME, State.WRONG, text, remedy, {"validating": named})


def _without_all(plan: Plan, *why: Point) -> tuple[Plan, list[Point], frozenset[str]]:
    held = frozenset(entry.address for entry in plan.remove_nodes)
    return replace(plan, remove_nodes=()), list(why), held
