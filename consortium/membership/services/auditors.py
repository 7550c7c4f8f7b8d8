"""Ending an auditor's appointment; it begins by an invitation."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.membership.access import access_appointment
from consortium.membership.models import AuditorAppointment, Organization, User


@transaction.atomic
def end_appointment(*, appointment_id: UUID, organization: Organization, acting_user: User) -> AuditorAppointment:
    """End an appointment that the organization made; from now on the auditor reads nothing. Twice is once.

    Raises
    ------
    NotFoundError
        If the organization did not make it.
    """
    appointment = access_appointment(appointment_id, organization_id=organization.pk)
    if appointment.until is not None and appointment.until <= timezone.now():
        return appointment
    appointment.until = timezone.now()
    appointment.save(update_fields=["until"])
    record(
        action="membership.auditor.end",
        organization_id=None,
        consortium_id=appointment.consortium_id,
        actor=Actor.person(acting_user.pk, organization.pk),
        subject=Subject("person", str(appointment.user_id)),
    )
    return appointment
