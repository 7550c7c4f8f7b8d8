"""The member's reconciler: its own node's allow-lists held to the registries that this site has pinned.

It trusts no platform: who belongs is read from the member's own node, and what others say of a node's place counts
only for a key that a registry lists. Each call to the node stands in the journal before it is made.
"""

import contextlib
import fcntl
import json
import logging
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.chain_check import Finding
from agent.errors import ConfigurationError, ReconcilerBusyError
from agent.node_sight import open_operations
from agent.node_word import NodeWord
from agent.wording import gettext as _
from consortium.kernel.canonical import canonical_json
from contracts.network.asking import Node
from contracts.network.points import Point
from contracts.network.reconciling.offers import Offers
from contracts.reconciler import Act, Known, Outcome, Reconciler

if TYPE_CHECKING:
    from agent.site import Site

logger = logging.getLogger(__name__)
KIND = "allow_list"
# A look without an event; half of the minute within which a difference must be told.
LOOK_SECONDS = 30
# Three looks that did not come: nobody is looking.
SILENT_SECONDS = 90
# A call that comes to the same again and again is entered once an hour.
REPEAT_SECONDS = 3600
_SCAN = "reconciler"
_NOTHING = Offers()


@dataclass(frozen=True, slots=True)
class LastLook:
    """What the last look came to: Unix seconds, what was wrong, by key and in words, and the node's lists after it."""

    time: int
    wrong: tuple[tuple[str, str], ...]
    known: Known | None


class NodeKeeper:
    """Looks at one member's node; several processes of one site take turns."""

    def __init__(self, site: "Site", operations: Node | None) -> None:
        self._site = site
        self._operations = operations
        self._words = NodeWord(site)
        self._entered: dict[tuple[str, ...], float] = {}
        self._refused: Reconciler | None = None

    @property
    def is_named(self) -> bool:
        """Whether site.toml names the node's operations port."""
        return self._operations is not None

    def look(self, offered: Offers = _NOTHING, *, accepted: int = 0) -> Outcome:
        """Compare and, by the member's rule, mend; what came of it is kept for `status`.

        Parameters
        ----------
        offered : Offers
            What the platform says of where members' nodes are.
        accepted : int
            How many nodes a person has agreed to remove in this look.

        Raises
        ------
        ConfigurationError
            If site.toml names no operations port.
        ReconcilerBusyError
            If another process of this site is looking.
        """
        with self._alone():
            if accepted:
                self._site.journal.record(KIND, "accepted", removals=accepted)
            last = self.last()
            outcome = self._reconciler().look(
                self._words.given(offered), known=last.known if last else None, accepted=accepted
            )
            self._tell(outcome, last)
            self._keep(outcome, last)
        return outcome

    def has_pinned(self, consortium: uuid.UUID) -> bool:
        """Whether this site has checked and pinned a consortium's contracts, so that its registry counts."""
        return bool(self._site.pins.of(consortium))

    def has_news(self) -> bool:
        """Whether a registry has said something since the last look; False where it cannot be read."""
        return self._words.has_news()

    def last(self) -> LastLook | None:
        """Return what the last look came to, whichever process made it; None before the first."""
        rows = self._site.journal.read("SELECT state FROM scans WHERE name = ?", _SCAN)
        if not rows:
            return None
        state = json.loads(rows[0][0])
        lists = state["lists"]
        known = Known(tuple(lists["nodes"]), tuple(lists["accounts"])) if lists else None
        return LastLook(state["time"], tuple((key, text) for key, text in state["wrong"]), known)

    def finding(self) -> Finding | None:
        """Return what `status` says of it; None where the site has no operations port, and so no reconciler."""
        if not self.is_named:
            return None
        last = self.last()
        if last is None:
            return Finding(KIND, False, _("The node's allow-list was never compared: run the agent, or the reconciler"))
        age = max(0, int(self._site.clock().timestamp()) - last.time)
        if age > SILENT_SECONDS:
            text = _("The node's allow-list was compared %d s ago: does the reconciler run?")
            return Finding(KIND, False, text % age)
        if last.wrong:
            more = f" (+{len(last.wrong) - 1})" if len(last.wrong) > 1 else ""
            return Finding(KIND, False, _("Allow-list, %(age)d s ago: ") % {"age": age} + last.wrong[0][1] + more)
        return Finding(KIND, True, _("The node's allow-list is as the registries say, %d s ago") % age)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the site's lock for a look: the agent and a reconciler of its own would race for nothing."""
        path = self._site.folder.root / "reconcile.lock"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise ReconcilerBusyError("Another reconciler of this site is looking now.") from error
        try:
            yield
        finally:
            os.close(handle)

    def _reconciler(self) -> Reconciler:
        """Return the reconciler under the rules in force; what the node refused before is not asked again."""
        if self._operations is None:
            raise ConfigurationError("site.toml names no node to reconcile. Give operations_url under [chain].")
        rules = self._site.configuration.rules
        made = Reconciler(
            self._operations,
            repairs=rules.repair_allow_list,
            max_age_seconds=rules.max_head_age_seconds,
            note=self._enter,
            clock=lambda: self._site.clock().timestamp(),
            refused={} if self._refused is None else self._refused.refused,
        )
        self._refused = made
        return made

    def _enter(self, act: Act) -> None:
        """Put a call into the journal; one that is repeated in vain, once an hour."""
        key = (act.method, act.outcome, *act.entries)
        now = self._site.clock().timestamp()
        if now - self._entered.get(key, float("-inf")) < REPEAT_SECONDS:
            return
        self._entered[key] = now
        reasons = {one: reason for one, reason in act.reasons.items() if reason}
        detail = {"method": act.method, "entries": list(act.entries), "reasons": reasons}
        refusal = {"refusal": act.refusal} if act.refusal else {}
        self._site.journal.record(KIND, act.outcome, digest="", person="", **{**detail, **refusal})

    def _tell(self, outcome: Outcome, last: LastLook | None) -> None:
        """Enter what became wrong, and what is right again; drift is told each time that it is found."""
        before = {key for key, _text in last.wrong} if last else set()
        for point in outcome.wrong:
            if (key := _key(point)) not in before or point.name == "drift":
                logger.error("%s: %s %s", point.name, point.text, point.remedy)
                self._site.journal.record(KIND, "alarm", point=key, text=point.text)
        for key in sorted(before - {_key(point) for point in outcome.wrong}):
            self._site.journal.record(KIND, "settled", point=key)

    def _keep(self, outcome: Outcome, last: LastLook | None) -> None:
        # A node that is away for a look has the lists that it had: what is changed meanwhile shows at the next.
        known = outcome.known or (last.known if last else None)
        state = {
            "time": int(self._site.clock().timestamp()),
            "wrong": [[_key(point), f"{point.text} {point.remedy}".strip()] for point in outcome.wrong],
            "lists": {"nodes": list(known.nodes), "accounts": list(known.accounts)} if known else None,
        }
        with self._site.journal.transaction() as connection:
            statement = "INSERT INTO scans VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state"
            connection.execute(statement, (_SCAN, canonical_json(state).decode()))


def node_keeper(site: "Site") -> NodeKeeper:
    """Return the reconciler of a site's own node, as site.toml names it."""
    return NodeKeeper(site, open_operations(site.configuration))


def _key(point: Point) -> str:
    """Tell one trouble from another of the same name, whatever ages and counts stand in its text."""
    about = point.figures.get("address") or point.figures.get("entry") or ""
    return f"{point.name} {about}".strip()
