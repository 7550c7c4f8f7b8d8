"""Fetch with permission, and hold an act to the roles that may do it."""

from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from consortium.kernel.errors import ForbiddenError, NotFoundError
from consortium.membership.models import Consortium, Organization


def access_consortium(consortium_id: UUID) -> Consortium:
    """The consortium, if the asker's organization belongs to it."""
    consortium = Consortium.objects.filter(pk=consortium_id).first()
    if consortium is None:
        raise NotFoundError(_("There is no such consortium among yours."))
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
