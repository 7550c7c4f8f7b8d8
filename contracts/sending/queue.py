"""Which waiting rows a lane may take: in the order of asking, and a consortium's calls on one lane at a time."""

import math
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from consortium.common.models import TransactionState
from contracts.models import OutboxTransaction, RelayAccount
from contracts.sending.lanes import Lane

# Names our locks among those that the database keeps for applications.
LOCK_SPACE = 0x0C0541

# Both go from consortium to consortium through the index `outbox_waiting_of_one`, and read of each no more than is
# asked for: a queue of a hundred thousand calls, also one of another lane, costs no more than a short one.
_CONSORTIA = """
WITH RECURSIVE waiting(id) AS (
    (SELECT consortium_id FROM contracts_outboxtransaction WHERE state = 'recorded' ORDER BY consortium_id LIMIT 1)
    UNION ALL
    SELECT (SELECT consortium_id FROM contracts_outboxtransaction
             WHERE state = 'recorded' AND consortium_id > waiting.id ORDER BY consortium_id LIMIT 1)
      FROM waiting WHERE waiting.id IS NOT NULL
)
SELECT waiting.id FROM waiting CROSS JOIN LATERAL (
    SELECT position FROM contracts_outboxtransaction
     WHERE state = 'recorded' AND consortium_id = waiting.id AND only_sender IN ('', %s) ORDER BY position LIMIT 1
) oldest WHERE waiting.id IS NOT NULL AND waiting.id <> ALL (%s::uuid[]) ORDER BY oldest.position LIMIT %s
"""
_ROWS = """
SELECT oldest.id FROM unnest(%s::uuid[]) ours(id) CROSS JOIN LATERAL (
    SELECT id, position FROM contracts_outboxtransaction
     WHERE state = 'recorded' AND consortium_id = ours.id AND only_sender IN ('', %s) ORDER BY position LIMIT %s
) oldest ORDER BY oldest.position LIMIT %s
"""


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
            if ours and (rows := self._oldest(ours, most)):
                return rows
        return []

    def _ahead(self, most: int) -> set[UUID]:
        """The consortia that have waited longest, at most so many, without those passed over."""
        return set(_ids(_CONSORTIA, [self.lane.address, list(self.passed_over), most]))

    def _oldest(self, consortia: set[UUID], most: int) -> list[OutboxTransaction]:
        found = _ids(_ROWS, [list(consortia), self.lane.address, most, most])
        return list(OutboxTransaction.objects.filter(pk__in=found).order_by("position"))

    def _lock(self, consortia: set[UUID]) -> None:
        """Lock consortia that nobody else claims for; pass over those that are held or sent for on another lane."""
        locked = _try_lock(sorted(consortia))
        self._locked |= locked
        self.passed_over |= consortia - locked
        # Read under the lock: what another dispatcher has signed before is seen.
        submitted = OutboxTransaction.objects.filter(state=TransactionState.SUBMITTED).order_by()
        under_way = submitted.values_list("consortium_id", "sender").distinct()
        senders = {(consortium, sender) for consortium, sender in under_way if consortium in locked}
        bound = {consortium for consortium, sender in senders if sender not in self.stuck}
        elsewhere = {consortium for consortium, sender in senders if sender not in {*self.stuck, self.lane.address}}
        unbound = sorted(locked - bound)
        self.busy |= {consortium for consortium, _ in senders}
        self.passed_over |= elsewhere | set(unbound[math.ceil(len(unbound) / self.among) :])


def _ids(statement: str, parameters: Sequence[Any]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [found for (found,) in cursor.fetchall()]


def _try_lock(consortia: Sequence[UUID]) -> set[UUID]:
    if not consortia:
        return set()
    statement = "SELECT id FROM unnest(%s::uuid[]) id WHERE pg_try_advisory_xact_lock(%s, hashtext(id::text))"
    return set(_ids(statement, [list(consortia), LOCK_SPACE]))
