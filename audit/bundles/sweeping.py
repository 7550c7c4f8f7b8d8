"""Bundles that nobody works on: their message was lost, or their worker died."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from audit.bundles.building import TAKE_OVER
from audit.models import Bundle
from consortium.common.tenancy import act_for_all
from consortium.membership.selectors import current_appointments

# A message that was sent at the commit has arrived by then.
LOST_AFTER = timedelta(seconds=15)
_MOST = 20


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A bundle to hand out again, and whose it is: an organization's, or without one the auditor's."""

    id: UUID
    organization_id: UUID | None
    person_id: UUID


def abandoned_bundles() -> list[Abandoned]:
    """Return what is to be handed out again, oldest first; as the system, which sees rows but no contents."""
    now = timezone.now()
    lost = Q(state=Bundle.State.REQUESTED) & (
        Q(tried_at__lt=now - LOST_AFTER) | Q(tried_at__isnull=True, created_at__lt=now - LOST_AFTER)
    )
    died = Q(state=Bundle.State.BUILDING, tried_at__lt=now - TAKE_OVER)
    with transaction.atomic(), act_for_all():
        found = Bundle.objects.filter(_can_be_made(), lost | died).order_by("created_at")[:_MOST]
        return [Abandoned(*row) for row in found.values_list("pk", "organization_id", "person_id")]


def _can_be_made() -> Q:
    """Leave an auditor's bundle out once the appointment has ended: nobody may make it then."""
    own = current_appointments().filter(user_id=OuterRef("person_id"), consortium_id=OuterRef("consortium_id"))
    return Q(organization_id__isnull=False) | Q(Exists(own))
