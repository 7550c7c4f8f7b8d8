"""The door to reconciling: what the registries say, brought to one node's allow-lists (`perm_*`) and connections.

It runs beside each member's own node and trusts no platform. Nothing is kept between two looks but what the node and
the chain themselves keep: each look reads everything anew, so it may be killed anywhere, and started again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from consortium.kernel.errors import ConsiliumError
from contracts.errors import PermissionsRefusal
from contracts.network.asking import Node
from contracts.network.points import Point, State
from contracts.network.reconciling import report
from contracts.network.reconciling.changes import Act, Changed, Note, change
from contracts.network.reconciling.disconnecting import disconnect
from contracts.network.reconciling.drift import Known, drift_point, file_point
from contracts.network.reconciling.guards import doubt, guard
from contracts.network.reconciling.plan import ACCOUNT, NOT_NAMED, UNKNOWN, Plan, Word, make_plan
from contracts.network.reconciling.sight import Sight, read_sight

__all__ = ["Act", "Known", "Outcome", "Reconciler", "Word"]

ADD_NODES, REMOVE_NODES = "perm_addNodesToAllowlist", "perm_removeNodesFromAllowlist"
ADD_ACCOUNTS, REMOVE_ACCOUNTS = "perm_addAccountsToAllowlist", "perm_removeAccountsFromAllowlist"
# Somebody else may be first now and then; always first means that two disagree.
ROUNDS = 4
# What a node refuses for good is not asked of it at each look; a restart of the node may change its mind.
ASK_AGAIN_SECONDS = 600.0


@dataclass(frozen=True)
class Outcome:
    """A look: points, calls that were made, and the lists at its end (None where they could not be read)."""

    points: Sequence[Point]
    acts: Sequence[Act] = ()
    known: Known | None = None

    @property
    def is_well(self) -> bool:
        return all(point.state is not State.WRONG for point in self.points)

    @property
    def wrong(self) -> list[Point]:
        return [point for point in self.points if point.state is State.WRONG]

    def to_json(self) -> dict[str, Any]:
        """For monitoring: well or not, points with figures, and what was done."""
        return {
            "is_well": self.is_well,
            "points": [{**asdict(point), "state": str(point.state)} for point in self.points],
            "acts": [asdict(act) for act in self.acts],
        }


@dataclass
class Reconciler:
    """One node's reconciler.

    Parameters
    ----------
    operations : Node
        The node's operations port, with ETH, NET, QBFT, ADMIN and PERM.
    repairs : bool
        Whether differences are mended; otherwise they are told alone.
    max_age_seconds : int
        Age of the node's newest block above which nobody is removed.
    note : Note
        Told of each call before and after it; what it raises ends the look there.
    """

    operations: Node
    repairs: bool = True
    max_age_seconds: int = 60
    note: Note = lambda act: None
    clock: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep
    refused: dict[str, tuple[PermissionsRefusal, float]] = field(default_factory=dict)

    def look(self, word: Word, *, known: Known | None = None, accepted: int = 0) -> Outcome:
        """Compare the node with the registries, and mend what differs; nothing is raised for what is away.

        Parameters
        ----------
        known : Known, optional
            The lists as the last look left them, to tell what somebody else changed.
        accepted : int
            How many nodes a person has agreed to remove in this look.
        """
        look = _Look(self, word, accepted)
        try:
            return look.run(known)
        except ConsiliumError as error:
            remedy = "Is the node up, with its operations port, a token and both permissions files?"
            points = [report.registry_point(word), Point("node", State.WRONG, error.message, remedy)]
            return Outcome(points, look.acts)

    def refusals(self) -> dict[str, PermissionsRefusal]:
        """What the node refused lately and is not asked again yet."""
        return {entry: kind for entry, (kind, until) in self.refused.items() if self.clock() < until}

    def keep_refusals(self, refused: Mapping[str, PermissionsRefusal]) -> None:
        until = self.clock() + ASK_AGAIN_SECONDS
        self.refused |= {entry: (kind, until) for entry, kind in refused.items()}


class _Look:
    """One look from its first question to its points."""

    def __init__(self, reconciler: Reconciler, word: Word, accepted: int) -> None:
        self._of = reconciler
        self._word = word
        self._accepted = accepted
        self._held: frozenset[str] = frozenset()
        self._removed: frozenset[str] = frozenset()
        self._held_points: list[Point] = []
        self.acts: list[Act] = []

    def run(self, known: Known | None) -> Outcome:
        sight = self._read()
        drift = drift_point(make_plan(self._word, sight), known)
        rest = self._plan(sight)
        if self._of.repairs:
            rest, sight = self._repair(rest, sight)
        connected = self._disconnect(sight)
        return Outcome(self._points(drift, rest, sight, connected), self.acts, Known.of(sight))

    def _read(self) -> Sight:
        return read_sight(self._of.operations, now=self._of.clock(), with_accounts=bool(self._word.accounts))

    def _plan(self, sight: Sight) -> Plan:
        """What is to be done and may be done."""
        plan, self._held_points, self._held = guard(
            make_plan(self._word, sight),
            self._word,
            sight,
            max_age_seconds=self._of.max_age_seconds,
            accepted=self._accepted,
            removed=self._removed,
        )
        refused = self._of.refusals()
        return plan.without(nodes=refused, accounts=refused)

    def _repair(self, plan: Plan, sight: Sight) -> tuple[Plan, Sight]:
        for _ in range(ROUNDS):
            if plan.is_empty:
                break
            self._apply(plan, sight)
            sight = self._read()
            self._removed |= {entry.address for entry in plan.remove_nodes} - sight.addresses
            plan = self._plan(sight)
        return plan, sight

    def _apply(self, plan: Plan, sight: Sight) -> None:
        """First let in, then shut out; whoever else was first ends it, and the list is read anew."""
        admitted = plan.reasons
        added = self._change(ADD_NODES, {str(node): admitted.get(node.address, "") for node in plan.add_nodes})
        accounts = self._change(ADD_ACCOUNTS, dict.fromkeys(plan.add_accounts, ACCOUNT))
        if added.is_raced or accounts.is_raced:
            return
        removals = {entry.text: admitted.get(entry.address, UNKNOWN) for entry in plan.remove_nodes}
        self._change(REMOVE_NODES, removals)
        if {*sight.accounts, *accounts.done} - set(plan.remove_accounts):
            self._change(REMOVE_ACCOUNTS, dict.fromkeys(plan.remove_accounts, NOT_NAMED))

    def _change(self, method: str, reasons: Mapping[str, str]) -> Changed:
        changed = change(self._of.operations, method, list(reasons), reasons, self._note)
        self._of.keep_refusals(changed.refused)
        return changed

    def _disconnect(self, sight: Sight) -> frozenset[str]:
        """End connections to nodes that nothing names, unless who belongs is in doubt."""
        if doubt(self._word, sight, self._of.max_age_seconds) is not None:
            return frozenset()
        spared = self._word.wanted(sight.own) | self._held | sight.validators
        strangers = {address: enode for address, enode in sight.peers.items() if address not in spared}
        if not self._of.repairs:
            return frozenset(strangers)
        reasons = {one: make_plan(self._word, sight).reasons.get(one, UNKNOWN) for one in strangers}
        return disconnect(self._of.operations, strangers, reasons, self._note, pause=self._of.pause)

    def _note(self, act: Act) -> None:
        self.acts.append(act)
        self._of.note(act)

    def _points(self, drift: Point | None, rest: Plan, sight: Sight, connected: frozenset[str]) -> list[Point]:
        word, repairs = self._word, self._of.repairs
        file = file_point(word, sight)
        return [
            report.registry_point(word),
            report.head_point(sight, self._of.max_age_seconds),
            *([drift] if drift else []),
            report.nodes_point(rest, sight, repairs=repairs),
            *self._held_points,
            *report.refused_points(self._refused_now(sight)),
            *report.entries_points(sight),
            *report.missing_points(rest, word, sight),
            *report.offers_points(word),
            report.accounts_point(rest, word, sight, repairs=repairs),
            *([file] if file else []),
            report.peers_point(connected, sight),
        ]

    def _refused_now(self, sight: Sight) -> dict[str, PermissionsRefusal]:
        """The refusals that still stand between the list and what it should be."""
        plan = make_plan(self._word, sight)
        open_ = {str(node) for node in plan.add_nodes} | {entry.text for entry in plan.remove_nodes}
        open_ |= {*plan.add_accounts, *plan.remove_accounts}
        return {entry: kind for entry, kind in self._of.refusals().items() if entry in open_}
