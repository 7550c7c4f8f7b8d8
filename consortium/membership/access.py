"""Fetch with permission, and hold an act to the roles that may do it."""

from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from consortium.kernel.errors import ForbiddenError, NotFoundError
from consortium.membership.models import (
    AuditorAppointment,
    Consortium,
    Invitation,
    Membership,
    Organization,
    RoleAssignment,
    User,
)

# A suspended member's acts are for the chain to refuse: it still votes on its own return.
_MEMBERS = (Membership.Status.ACTIVE, Membership.Status.SUSPENDED)


def access_consortium(consortium_id: UUID) -> Consortium:
    """The consortium, if the asker's organization belongs to it."""
    consortium = Consortium.objects.filter(pk=consortium_id).first()
    if consortium is None:
        raise NotFoundError(_("There is no such consortium among yours."))
    return consortium


def access_colleague(person_id: UUID, *, organization_id: UUID) -> User:
    """The person, if they have a role in the organization, in force or suspended."""
    roles = RoleAssignment.objects.filter(user_id=person_id, organization_id=organization_id)
    found = roles.select_related("user").first()
    if found is None:
        raise NotFoundError(_("There is no such person in your organization."))
    return found.user


def access_invitation(invitation_id: UUID, *, organization_id: UUID) -> Invitation:
    """The invitation, if the organization made it."""
    found = Invitation.objects.filter(pk=invitation_id, organization_id=organization_id).first()
    if found is None:
        raise NotFoundError(_("There is no such invitation of your organization."))
    return found


def access_appointment(appointment_id: UUID, *, organization_id: UUID) -> AuditorAppointment:
    """The auditor's appointment, if the organization made it."""
    found = AuditorAppointment.objects.filter(pk=appointment_id, organization_id=organization_id).first()
    if found is None:
        raise NotFoundError(_("There is no such appointment by your organization."))
    return found


def is_member(consortium_id: UUID, organization_id: UUID) -> bool:
    """Whether an organization may act in a consortium."""
    members = Membership.objects.filter(consortium_id=consortium_id, status__in=_MEMBERS)
    return members.filter(organization_id=organization_id).exists()


def require_member(consortium_id: UUID, organization_id: UUID) -> Consortium:
    """The consortium, if the organization may act in it: applicants and appointed auditors see it only.

    Raises
    ------
    NotFoundError
        If the asker does not even see it.
    ForbiddenError
        If the organization is not a member, or not any more.
    """
    consortium = access_consortium(consortium_id)
    if not is_member(consortium_id, organization_id):
        raise ForbiddenError(_("Your organization is not a member of this consortium, so it does not act in it."))
    return consortium


def require_role(request: HttpRequest | Request, *roles: str) -> Organization:
    """The organization that the person acts for, if they have one of `roles` there.

    Raises
    ------
    ForbiddenError
        If they have none of them.
    """
    http = request._request if isinstance(request, Request) else request
    organization: Organization | None = getattr(http, "organization", None)
    if organization is None or not set(roles) & getattr(http, "roles", frozenset()):
        raise ForbiddenError(_("This needs the role %(roles)s in your organization.") % {"roles": ", ".join(roles)})
    return organization
