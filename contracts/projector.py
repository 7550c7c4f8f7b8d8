"""From the chain to the read models: every event stored, then handled exactly once, in the chain's order.

Each consortium has a stream of its own: a cursor that says how far was read, and its events. A
handler that fails stops its own stream alone, is tried again after a pause, and shows in the
health checks. Two projectors may run at once: whoever holds a cursor's row works on that stream.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from consortium.common.correlation import set_correlation_id
from contracts.chain import chain_from_settings
from contracts.errors import ChainError
from contracts.interface import Chain
from contracts.models import ChainCursor, ChainEventRecord, OutboxTransaction
from contracts.projections import handlers_of, projects
from contracts.reading.streams import read_window, start_projection

__all__ = ["ProjectReport", "apply_next", "project_once", "projects", "start_projection"]

logger = logging.getLogger(__name__)

# After a handler's fault: 1, 2, 4, ... seconds, at most five minutes.
MAX_PAUSE_SECONDS = 300


@dataclass
class ProjectReport:
    """What one pass did; `failed` counts streams that wait for a handler."""

    applied: int = 0
    failed: int = 0


def project_once(chain: Chain | None = None) -> ProjectReport:
    """Read and apply what is new for every consortium, as the system's database role.

    Raises
    ------
    ChainError
        After the other streams had their turn: retryable where the node failed; `ChainRewoundError`
        where blocks are gone that must not go.
    """
    door = chain or chain_from_settings()
    report, fault = ProjectReport(), None
    for consortium_id in ChainCursor.objects.order_by("pk").values_list("pk", flat=True):
        try:
            door.check_chain()
            while read_window(door, consortium_id):
                pass
        except ChainError as error:
            # What is stored is applied all the same; a fault that needs a person outranks one that passes.
            fault = error if fault is None or fault.retryable else fault
        while apply_next(consortium_id):
            report.applied += 1
        report.failed += ChainEventRecord.objects.filter(
            consortium_id=consortium_id, applied_at__isnull=True, retry_at__isnull=False
        ).exists()
    if fault is not None:
        raise fault
    return report


def apply_next(consortium_id: UUID) -> bool:
    """Handle the stream's next event; return False if there is none, or it has to wait, or failed."""
    row = None
    try:
        with transaction.atomic():
            if ChainCursor.objects.select_for_update(skip_locked=True).filter(pk=consortium_id).first() is None:
                return False
            waiting = ChainEventRecord.objects.filter(consortium_id=consortium_id, applied_at__isnull=True)
            row = waiting.order_by("block_number", "log_index").first()
            if row is None or (row.retry_at is not None and row.retry_at > timezone.now()):
                return False
            _apply(row)
    except Exception as fault:
        if row is None:
            raise
        logger.exception("The handler of %s failed.", row.name)
        _note_fault(row, fault)
        return False
    return True


def _apply(row: ChainEventRecord) -> None:
    event = row.event
    set_correlation_id(_correlation_of(row))
    for handler in handlers_of(event):
        handler(row.consortium_id, event)
    row.applied_at, row.failed_text, row.retry_at = timezone.now(), "", None
    row.save(update_fields=["applied_at", "failed_text", "retry_at"])


def _correlation_of(row: ChainEventRecord) -> str | None:
    """The id of the act that asked for the event's transaction, where it came from here."""
    asked = OutboxTransaction.objects.filter(transaction_hash=row.transaction_hash)
    return asked.values_list("correlation_id", flat=True).first()


def _note_fault(row: ChainEventRecord, fault: Exception) -> None:
    pause = min(2**row.attempts, MAX_PAUSE_SECONDS)
    ChainEventRecord.objects.filter(pk=row.pk, applied_at__isnull=True).update(
        attempts=row.attempts + 1,
        failed_text=f"{type(fault).__name__}: {fault}"[:1000],
        retry_at=timezone.now() + timedelta(seconds=pause),
    )
