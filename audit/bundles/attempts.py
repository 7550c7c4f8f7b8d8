"""Asking for a bundle as a person does, through the API or the portal: a refused attempt is recorded too."""

import uuid

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from audit.acts import Subject
from audit.bundles.building import ACTION
from audit.bundles.exporters import EXPORTERS, Exporter, is_auditor_of
from audit.bundles.orders import Order
from audit.bundles.requests import export_bundle
from audit.bundles.selection import log_of
from audit.models import Bundle
from audit.refusals import attempt
from consortium.common.tenancy import act_for
from consortium.kernel.errors import ForbiddenError
from consortium.membership.access import access_consortium, require_member, require_role
from consortium.membership.models import Organization


def acting_organization(request: HttpRequest | Request) -> Organization:
    """Return the organization that the person acts for; `ForbiddenError` for people without one."""
    http = request._request if isinstance(request, Request) else request
    organization: Organization | None = getattr(http, "organization", None)
    if organization is None:
        raise ForbiddenError(_("You act for no organization. Ask your administrator for a role."))
    return organization


def attempt_export(request: HttpRequest | Request, *, consortium_id: uuid.UUID, order: Order) -> Bundle:
    """Ask for a bundle in the person's name, or as the consortium's auditor.

    Raises
    ------
    NotFoundError, ForbiddenError
        For people of other consortia and of no member: nothing is recorded in a log that they do not write.
    ForbiddenError, UnknownReportError, PeriodInvalidError, ModelChoiceError, NotFoundError
        For a member's people and auditors, the last one for a model of another consortium: recorded in the
        consortium's log.
    """
    person = uuid.UUID(str(request.user.pk))
    access_consortium(consortium_id)
    if is_auditor_of(request, consortium_id):
        # An auditor writes into a log that there is, and opens none.
        log_of(consortium_id)
        with act_for(organization_id=None, person_id=person):
            return _attempt(request, Exporter(person, None), consortium_id, order)
    organization = acting_organization(request)
    require_member(consortium_id, organization.pk)
    return _attempt(request, Exporter(person, organization.pk), consortium_id, order)


def _attempt(request: HttpRequest | Request, exporter: Exporter, consortium_id: uuid.UUID, order: Order) -> Bundle:
    """Export, or record the refusal; a member's people need a role for it."""
    with attempt(
        action=ACTION,
        organization_id=None,
        consortium_id=consortium_id,
        actor=exporter.actor,
        subject=Subject("bundle", str(uuid.uuid4())),
    ):
        if exporter.organization_id is not None:
            require_role(request, *EXPORTERS)
        return export_bundle(consortium_id=consortium_id, exporter=exporter, order=order)
