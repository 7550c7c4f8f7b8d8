"""Which waiting rows a lane may take: in the order of asking, and a consortium's calls on one lane at a time."""

import math
from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from consortium.common.models import TransactionState
from contracts.models import OutboxTransaction, RelayAccount
from contracts.sending.lanes import Lane

# Names our locks among those that the database keeps for applications.
LOCK_SPACE = 0x0C0541


class Queue:
    """The waiting rows as one claim sees them; lives as long as its transaction.

    A consortium's calls keep their order by staying on the lane on which its earlier ones are under
    way, unless that lane is stuck. Two dispatchers never look at the same consortium at once: each
    consortium is locked to the end of the transaction, before its rows are read. Of the consortia with
    nothing under way the lane takes its share, `1 / among`, and leaves the others to the lanes after it.
    """

    def __init__(self, lane: Lane, *, among: int) -> None:
        self.lane = lane
        self.among = among
        self.stuck = set(RelayAccount.objects.exclude(stuck_code="").values_list("address", flat=True))
        # Consortia with calls under way, also those of this claim.
        self.busy: set[UUID] = set()
        self.passed_over: set[UUID] = set()
        self._locked: set[UUID] = set()

    def next_rows(self, most: int) -> list[OutboxTransaction]:
        """The oldest rows that may be taken, at most so many; empty when there are none."""
        while consortia := self._ahead(most):
            self._lock(consortia - self._locked)
            ours = consortia - self.passed_over
            if ours and (rows := list(self._waiting().filter(consortium_id__in=ours)[:most])):
                return rows
        return []

    def _waiting(self) -> QuerySet[OutboxTransaction]:
        waiting = OutboxTransaction.objects.filter(
            Q(only_sender="") | Q(only_sender=self.lane.address), state=TransactionState.RECORDED
        )
        return waiting.exclude(consortium_id__in=self.passed_over).order_by("position")

    def _ahead(self, most: int) -> set[UUID]:
        return set(self._waiting().values_list("consortium_id", flat=True)[:most])

    def _lock(self, consortia: set[UUID]) -> None:
        """Lock consortia that nobody else claims for; pass over those that are held or sent for on another lane."""
        locked = _try_lock(sorted(consortia))
        self._locked |= locked
        self.passed_over |= consortia - locked
        # Read under the lock: what another dispatcher has signed before is seen.
        submitted = OutboxTransaction.objects.filter(state=TransactionState.SUBMITTED, consortium_id__in=locked)
        senders = set(submitted.order_by().values_list("consortium_id", "sender").distinct())
        bound = {consortium for consortium, sender in senders if sender not in self.stuck}
        elsewhere = {consortium for consortium, sender in senders if sender not in {*self.stuck, self.lane.address}}
        unbound = sorted(locked - bound)
        self.busy |= {consortium for consortium, _ in senders}
        self.passed_over |= elsewhere | set(unbound[math.ceil(len(unbound) / self.among) :])


def _try_lock(consortia: Sequence[UUID]) -> set[UUID]:
    if not consortia:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM unnest(%s::uuid[]) id WHERE pg_try_advisory_xact_lock(%s, hashtext(id::text))",
            [list(consortia), LOCK_SPACE],
        )
        return {found for (found,) in cursor.fetchall()}
