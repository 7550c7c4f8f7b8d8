"""What a steward sees of the site's consents: numbers, epochs, withdrawals; exact, for the member's own eyes."""

import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from agent.clock import Clock, from_seconds, now
from agent.consents.anchors import EPOCH
from agent.consents.store import ConsentStore
from consent.domain.conflicts import effective_provisions
from consent.domain.grants import Grant, GrantState
from consent.domain.provisions import Effect
from consortium.kernel.bands import band
from consortium.kernel.identifiers import to_hex

# Consents end while nobody writes anything; a count is made anew after so long at the latest.
COUNT_SECONDS = 300


class Standing(StrEnum):
    """What a subject's statements come to now."""

    IN_FORCE = "in_force"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Progress(StrEnum):
    """How far a withdrawal has come; from `RECEIVED` on no cohort of this site holds the subject."""

    RECEIVED = "received"
    ON_ITS_WAY = "on_its_way"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Numbers:
    """Subjects by what their statements come to; the others see `band`, the lower edge, and nothing else."""

    subjects: int
    in_force: int
    denied: int
    withdrawn: int
    expired: int

    @property
    def band(self) -> int:
        return band(self.in_force)


@dataclass(frozen=True, slots=True)
class EpochState:
    """An epoch as it was signed; `block` is where the node first showed it, 0 while it is on its way."""

    consortium: uuid.UUID
    number: int
    seq: int
    as_of: datetime
    band: int
    leaves: int
    root: str
    digest: str
    state: str
    block: int


@dataclass(frozen=True, slots=True)
class WithdrawalState:
    """A withdrawal, without whose; `seconds` from receipt to the block that told everybody, None before."""

    id: uuid.UUID
    received_at: datetime
    consents: int
    progress: Progress
    seconds: int | None
    block: int
    anchor: str


class ConsentOverview:
    """Reads one member's consent store."""

    def __init__(self, store: ConsentStore, *, clock: Clock = now) -> None:
        self._store = store
        self._clock = clock
        self._counted: tuple[int, datetime, Numbers] | None = None
        self._lock = threading.Lock()

    def numbers(self) -> Numbers:
        """Return the numbers, counted anew if the store has changed or the count is old."""
        # Consents begin and end on whole seconds.
        generation, at = self._store.generation, self._clock().replace(microsecond=0)
        with self._lock:
            known = self._counted
            if known and known[0] == generation and at - known[1] < timedelta(seconds=COUNT_SECONDS):
                return known[2]
            numbers = _count((grants for _name, grants in self._store.all_grants_by_subject()), at)
            self._counted = (generation, at, numbers)
            return numbers

    def glance(self) -> Numbers | None:
        """Return the last count without counting; None before the first."""
        return self._counted[2] if self._counted else None

    def epochs(self, limit: int = 5) -> list[EpochState]:
        """Return the epochs that were signed last, newest first; lost ones are left out."""
        rows = self._store.database.rows(
            "SELECT digest, consortium, epoch, seq, as_of, root, band, state, coalesce(block, 0), "
            "(SELECT count(*) FROM leaves WHERE leaves.anchor = anchors.digest) FROM anchors "
            "LEFT JOIN landings ON landings.anchor = anchors.digest "
            "WHERE kind = ? AND state <> 'lost' ORDER BY signed_at DESC, seq DESC LIMIT ?",
            *(EPOCH, limit),
        )
        return [
            EpochState(
                uuid.UUID(consortium), epoch, seq, from_seconds(as_of), edge, leaves, to_hex(root), digest, state, block
            )
            for digest, consortium, epoch, seq, as_of, root, edge, state, block, leaves in rows
        ]

    def epoch_after(self, moment: datetime) -> EpochState | None:
        """Return the first epoch that holds what was in the store at a moment; None if the next one will."""
        epochs = self.epochs()
        after = [one for one in epochs if one.as_of > moment]
        # Whoever changes consents wishes for an epoch, and the wish is granted with the signature.
        is_wished = self._store.database.row("SELECT 1 FROM wishes") is not None
        return after[-1] if after else None if is_wished or not epochs else epochs[0]

    def withdrawals(self, limit: int = 50) -> list[WithdrawalState]:
        """Return the latest withdrawals, newest first."""
        rows = self._store.database.rows(
            "SELECT id, received_at, (SELECT count(*) FROM grants WHERE grants.withdrawal = withdrawals.id), "
            "count(effects.withdrawal), count(effects.anchor), "
            "count(CASE WHEN anchors.state = 'landed' THEN 1 END), max(landings.seen_at), max(landings.block), "
            "max(effects.anchor) "
            "FROM withdrawals LEFT JOIN effects ON effects.withdrawal = withdrawals.id "
            "LEFT JOIN anchors ON anchors.digest = effects.anchor "
            "LEFT JOIN landings ON landings.anchor = effects.anchor "
            "GROUP BY id ORDER BY received_at DESC, id LIMIT ?",
            limit,
        )
        return [_withdrawal(*row) for row in rows]

    def waiting(self) -> int:
        """Return how many withdrawals the chain does not show yet."""
        rows = self._store.database.rows(
            "SELECT count(DISTINCT withdrawal) FROM effects LEFT JOIN anchors ON anchors.digest = effects.anchor "
            "WHERE coalesce(anchors.state, '') <> 'landed'"
        )
        return int(rows[0][0])


def standing_of(grants: Iterable[Grant], at: datetime) -> Standing:
    """Return what one subject's grants come to: a permit that holds, else a denial, else how the permit ended."""
    grants = list(grants)
    if any(rule.effect is Effect.PERMIT for rule in effective_provisions(grants, at).rules):
        return Standing.IN_FORCE
    if any(grant.state is GrantState.WITHDRAWN for grant in grants):
        return Standing.WITHDRAWN
    if any(grant.state is GrantState.EXPIRED or _permitted(grant) for grant in grants):
        return Standing.EXPIRED
    return Standing.DENIED


def _permitted(grant: Grant) -> bool:
    """Say whether an active grant permits something, at whatever time."""
    provision = grant.provision
    has_ended = provision is not None and provision.effect is Effect.PERMIT and provision.valid_until is not None
    return grant.state is GrantState.ACTIVE and has_ended


def _count(subjects: Iterable[list[Grant]], at: datetime) -> Numbers:
    found = dict.fromkeys(Standing, 0)
    for grants in subjects:
        found[standing_of(grants, at)] += 1
    return Numbers(sum(found.values()), *(found[standing] for standing in Standing))


def _withdrawal(
    identity: str, received_at: int, consents: int, due: int, signed: int, landed: int, *seen: Any
) -> WithdrawalState:
    seen_at, block, anchor = seen
    is_confirmed = due > 0 and landed == due
    progress = Progress.CONFIRMED if is_confirmed else Progress.ON_ITS_WAY if signed else Progress.RECEIVED
    seconds = max(seen_at - received_at, 0) if is_confirmed and seen_at is not None else None
    shown = (block or 0) if is_confirmed else 0
    return WithdrawalState(
        uuid.UUID(identity), from_seconds(received_at), consents, progress, seconds, shown, anchor or ""
    )
