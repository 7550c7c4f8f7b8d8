"""Erasure and retention of personal fields: the record stays, its link to the person goes."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.acts import Actor, Subject
from audit.content import written_time
from audit.models import AuditLog, PersonalField
from audit.recorder import record


@transaction.atomic
def erase_personal(*, organization_id: UUID, value: str, actor: Actor) -> int:
    """Delete every field of an organization that holds this value (a person's id), salts and all; return how many.

    The records still verify; nobody can show again whom they were about. The erasure is recorded itself,
    and what it commits to is deleted with the rest.
    """
    matching = PersonalField.objects.filter(organization_id=organization_id, value=value)
    found = matching.count()
    record(
        action="audit.personal.erase",
        organization_id=organization_id,
        consortium_id=None,
        actor=actor,
        subject=Subject("person", value),
        data={"fields": found},
    )
    matching.delete()
    return found


@transaction.atomic
def expire_personal(*, organization_id: UUID, before: datetime, actor: Actor) -> int:
    """Delete an organization's personal fields that are older than its retention; return how many."""
    log = AuditLog.objects.of(organization_id=organization_id)
    deleted, _ = PersonalField.objects.filter(organization_id=organization_id, created_at__lt=before).delete()
    record(
        action="audit.personal.expire",
        organization_id=organization_id,
        consortium_id=None,
        actor=actor,
        subject=Subject("log", str(log.pk)),
        data={"before": written_time(before), "fields": deleted},
    )
    return deleted
