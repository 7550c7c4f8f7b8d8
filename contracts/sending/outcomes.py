"""Who asked for a transaction hears of its outcome: once, in the transaction that notes it."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from consortium.common.correlation import set_correlation_id
from consortium.common.models import TransactionState
from contracts.models import OutboxTransaction
from contracts.outbox import OutcomeHandler, outcome_handler
from contracts.sending.lanes import Hook
from contracts.sending.rows import write

logger = logging.getLogger(__name__)

_WAITING = Q(state__in=[TransactionState.CONFIRMED, TransactionState.FAILED], outcome_delivered_at__isnull=True)
MAX_DELIVERIES = 500
# After a handler's fault: 1, 2, 4, ... seconds, at most five minutes.
MAX_PAUSE_SECONDS = 300


def deliver_outcomes(at: Hook) -> int:
    """Run the handlers of settled rows; a handler that fails is called again later and stops no other."""
    now = timezone.now()
    waiting = OutboxTransaction.objects.filter(
        _WAITING, Q(outcome_retry_at__isnull=True) | Q(outcome_retry_at__lte=now)
    )
    rows = list(waiting.order_by("position").defer("raw", "arguments")[:MAX_DELIVERIES])
    heard = [(row, handler) for row in rows if (handler := outcome_handler(row)) is not None]
    unheard = [row for row in rows if outcome_handler(row) is None]
    return _note_unheard(unheard, at) + sum(_deliver(row, handler, at) for row, handler in heard)


def _note_unheard(rows: list[OutboxTransaction], at: Hook) -> int:
    """Rows that nobody waits for are done in one go."""
    for row in rows:
        row.outcome_delivered_at = timezone.now()
    with transaction.atomic():
        noted = write(rows, ["outcome_delivered_at"], still=_WAITING)
        if rows:
            at("outcome_delivered")
    return len(noted)


def _deliver(row: OutboxTransaction, handler: OutcomeHandler, at: Hook) -> bool:
    try:
        with transaction.atomic():
            locked = OutboxTransaction.objects.select_for_update(skip_locked=True).filter(_WAITING, pk=row.pk).first()
            if locked is None:
                return False
            locked.outcome_delivered_at, locked.outcome_error, locked.outcome_retry_at = timezone.now(), "", None
            locked.save(update_fields=["outcome_delivered_at", "outcome_error", "outcome_retry_at"])
            set_correlation_id(locked.correlation_id or None)
            handler(locked)
            at("outcome_delivered")
    except Exception as fault:
        logger.exception("The handler of %s's outcome failed.", row.idempotency_key.partition(":")[0])
        _note_fault(row, fault)
        return False
    return True


def _note_fault(row: OutboxTransaction, fault: Exception) -> None:
    pause = min(2**row.outcome_attempts, MAX_PAUSE_SECONDS)
    OutboxTransaction.objects.filter(pk=row.pk).update(
        outcome_attempts=row.outcome_attempts + 1,
        outcome_error=f"{type(fault).__name__}: {fault}"[:1000],
        outcome_retry_at=timezone.now() + timedelta(seconds=pause),
    )
