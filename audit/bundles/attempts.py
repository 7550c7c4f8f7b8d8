"""Asking for a bundle as a person does, through the API or the portal: a refused attempt is recorded too."""

import uuid

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from audit.acts import Actor, Subject
from audit.bundles.building import ACTION
from audit.bundles.orders import Order
from audit.bundles.requests import export_bundle
from audit.models import Bundle
from audit.refusals import attempt
from consortium.kernel.errors import ForbiddenError
from consortium.membership.access import require_member, require_role
from consortium.membership.models import Organization, User

EXPORTERS = ("admin", "compliance")


def acting_organization(request: HttpRequest | Request) -> Organization:
    """Return the organization that the person acts for; `ForbiddenError` for people without one."""
    http = request._request if isinstance(request, Request) else request
    organization: Organization | None = getattr(http, "organization", None)
    if organization is None:
        raise ForbiddenError(_("You act for no organization. Ask your administrator for a role."))
    return organization


def attempt_export(request: HttpRequest | Request, *, consortium_id: uuid.UUID, order: Order) -> Bundle:
    """Ask for a bundle in the person's name.

    Raises
    ------
    NotFoundError, ForbiddenError
        For people of other consortia and of no member: nothing is recorded in a log that they do not write.
    ForbiddenError, UnknownReportError, PeriodInvalidError, ModelChoiceError, NotFoundError
        For a member's people, the last one for a model of another consortium: recorded in the consortium's log.
    """
    organization = acting_organization(request)
    require_member(consortium_id, organization.pk)
    user: User = request.user  # type: ignore[assignment] # authenticated
    with attempt(
        action=ACTION,
        organization_id=None,
        consortium_id=consortium_id,
        actor=Actor.person(user.pk, organization.pk),
        subject=Subject("bundle", str(uuid.uuid4())),
    ):
        require_role(request, *EXPORTERS)
        return export_bundle(
            consortium_id=consortium_id, organization_id=organization.pk, person_id=user.pk, order=order
        )
