"""Reads of the log for the API; the database's policies decide which rows there are."""

from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from audit.log.states import with_state
from audit.models import AuditRecord, Checkpoint, Cosignature


def records(consortium_id: UUID, *, action: str = "", correlation_id: UUID | None = None) -> QuerySet[Any]:
    """Return the records of a consortium's log with how firmly each stands; `action` may be a prefix of whole words."""
    found = AuditRecord.objects.filter(log__consortium_id=consortium_id)
    if action:
        found = found.filter(action=action) | found.filter(action__startswith=f"{action}.")
    if correlation_id is not None:
        found = found.filter(correlation_id=str(correlation_id))
    return with_state(found)


def checkpoints(consortium_id: UUID) -> QuerySet[Checkpoint]:
    """Return the checkpoints of a consortium's own log, with their witnesses and anchors."""
    witnesses = Cosignature.objects.order_by("organization_id")
    found = Checkpoint.objects.filter(log__consortium_id=consortium_id).select_related("anchor")
    return found.prefetch_related(Prefetch("cosignatures", queryset=witnesses))
