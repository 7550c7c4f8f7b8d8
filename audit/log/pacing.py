"""When a log's next checkpoint is due, and when a consortium's next anchor is.

Witnesses ask at different moments. Were a checkpoint signed with each record, each witness would meet another one
and none would ever have enough signatures: so the last one waits for its witnesses before the next is signed.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from audit.log.checkpoints import latest_checkpoint
from audit.models import Anchor, AuditLog
from consortium.common.models import TransactionState

SHORTEST = timedelta(seconds=2)
# Witnesses that are down or cut off hold the log up no longer than this.
PATIENCE = timedelta(seconds=30)
_UNDER_WAY = (TransactionState.RECORDED, TransactionState.SUBMITTED)


def is_checkpoint_due(log: AuditLog, *, quorum: int | None) -> bool:
    """Say whether a log that has grown is to be signed now. `quorum` is that of its witnesses, None without any."""
    last = latest_checkpoint(log)
    if last is None:
        return True
    age = timezone.now() - last.created_at
    if age < SHORTEST:
        return False
    if last.consortium_id is None or quorum is None or age >= PATIENCE:
        return True
    return last.cosignatures.count() >= quorum


def is_anchor_under_way(consortium_id: UUID) -> bool:
    """Say whether the chain still owes an answer: so many anchors are sent as it takes, and no more."""
    return Anchor.objects.filter(checkpoint__consortium_id=consortium_id, chain_state__in=_UNDER_WAY).exists()


def freshly_anchored_logs(consortium_id: UUID) -> set[UUID]:
    """Return the logs that wait with their next anchor; one that the chain refused makes none wait."""
    since = timezone.now() - timedelta(seconds=settings.AUDIT_ANCHOR_SECONDS)
    fresh = Anchor.objects.filter(checkpoint__consortium_id=consortium_id, created_at__gt=since)
    return set(fresh.exclude(chain_state=TransactionState.FAILED).values_list("checkpoint__log_id", flat=True))
