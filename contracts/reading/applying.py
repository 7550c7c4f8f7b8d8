"""Stored events, handed to their handlers: exactly once, in the chain's order, many in one transaction.

The chain's order needs one worker a stream, so a stream is as fast as its transactions are few. A chunk of
events shares one; where anything in it fails, all of it is undone, and its events are taken one by one, each in
a transaction of its own, up to the one that fails.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, QuerySet
from django.utils import timezone

from consortium.kernel.identifiers import to_hex
from contracts.models import AppliedMark, ChainEventRecord, OutboxTransaction
from contracts.projections import Heard, handle
from contracts.reading.storing import Stored, stored

logger = logging.getLogger(__name__)

# So many events share a transaction. Rows that they change are locked for its length: some tenths of a second, and
# only where so many wait, after a halt or in a new consortium; a live chain brings a few a block.
CHUNK_EVENTS = 1_000
# After a handler's fault: 1, 2, 4, ... seconds, at most five minutes.
MAX_PAUSE_SECONDS = 300


@dataclass(frozen=True)
class Applied:
    """How many events a call applied, and whether more may wait that can be applied now."""

    events: int = 0
    may_go_on: bool = False


def apply_next(consortium_id: UUID) -> Applied:
    """Handle the stream's next events: those that wait, at most `CHUNK_EVENTS`, up to the first that fails.

    Nothing is applied where another projector works on the stream, or the next event failed and its pause lasts.
    """
    return _try(consortium_id, CHUNK_EVENTS)


def _try(consortium_id: UUID, limit: int) -> Applied:
    rows: list[Stored] = []
    try:
        with transaction.atomic():
            if (locked := _lock(consortium_id)) is None:
                return Applied()
            mark, waiting = locked
            rows = _next(waiting, limit)
            _apply(mark, rows)
            return Applied(len(rows), may_go_on=len(rows) == limit or _was_tried(rows))
    except Exception as error:
        if not rows:
            raise
        fault = error
    if len(rows) > 1:
        return _one_by_one(consortium_id, len(rows))
    _note_fault(rows[0], fault)
    return Applied()


def _one_by_one(consortium_id: UUID, count: int) -> Applied:
    """Apply what goes before the failing event, and find it: by its handler, or at the end of its transaction."""
    for done in range(count):
        if _try(consortium_id, 1).events == 0:
            return Applied(done)
    return Applied(count, may_go_on=True)


def _lock(consortium_id: UUID) -> tuple[AppliedMark, QuerySet[ChainEventRecord]] | None:
    """The stream's mark, until the transaction ends, and the events that come next: late ones before all others.

    None where another projector applies the stream's events.
    """
    late = Exists(ChainEventRecord.objects.late(consortium_id))
    marks = AppliedMark.objects.select_for_update(skip_locked=True, of=("self",)).annotate(has_late=late)
    if (mark := marks.filter(pk=consortium_id).first()) is None:
        return None
    events = ChainEventRecord.objects
    return mark, events.late(consortium_id) if mark.has_late else events.waiting(mark)


def _next(waiting: QuerySet[ChainEventRecord], limit: int) -> list[Stored]:
    """The stream's next events; one that failed before comes alone, after its pause."""
    rows = stored(waiting, limit)
    if rows and rows[0].retry_at is not None and rows[0].retry_at > timezone.now():
        return []
    return rows[:1] if _was_tried(rows) else rows


def _apply(mark: AppliedMark, rows: Sequence[Stored]) -> None:
    """Run the handlers of stored events, given in the chain's order, and move the mark behind them."""
    if not rows:
        return
    hashes = [to_hex(row.event.transaction_hash) for row in rows]
    asked = correlation_ids(hashes)
    handle(mark.pk, [Heard(row.event, asked.get(sent)) for row, sent in zip(rows, hashes, strict=True)])
    block, index = rows[-1].event.place
    if (block, index) > mark.place:
        AppliedMark.objects.filter(pk=mark.pk).update(block_number=block, log_index=index)
    else:
        ChainEventRecord.objects.filter(pk__in=[row.pk for row in rows]).update(is_late=False)
    if _was_tried(rows):
        ChainEventRecord.objects.filter(pk=rows[0].pk).update(failed_text="", retry_at=None)
        failed, attempts = rows[0].event, rows[0].attempts
        logger.warning("%s is applied, failed attempts before: %d. Its stream goes on.", failed, attempts)


def correlation_ids(transaction_hashes: Iterable[str]) -> dict[str, str]:
    """The ids of the acts that asked for these transactions, where they came from here."""
    asked = OutboxTransaction.objects.filter(transaction_hash__in=set(transaction_hashes))
    return dict(asked.values_list("transaction_hash", "correlation_id"))


def _was_tried(rows: Sequence[Stored]) -> bool:
    return bool(rows) and rows[0].attempts > 0


def _note_fault(row: Stored, fault: Exception) -> None:
    """Keep the fault where health checks find it; the first of an event is an error in the log, later ones remind."""
    pause = min(2**row.attempts, MAX_PAUSE_SECONDS)
    if row.attempts:
        logger.warning("The handler of %s failed again, %d times now: %r", row.event, row.attempts + 1, fault)
    else:
        logger.error("The handler of %s failed. Its stream stands still and is tried again.", row.event, exc_info=fault)
    ChainEventRecord.objects.filter(pk=row.pk).update(
        attempts=row.attempts + 1,
        failed_text=f"{type(fault).__name__}: {fault}"[:1000],
        retry_at=timezone.now() + timedelta(seconds=pause),
    )
