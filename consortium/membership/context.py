"""What every page shows: whom one acts for, with which roles, and in which consortium."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from consortium.common.sections import GROUPS, PLACES, is_elsewhere
from consortium.membership.models import Organization, RoleAssignment, User
from consortium.membership.portal.chosen import chosen_consortium, visible_consortia


def organization(request: HttpRequest) -> dict[str, Any]:
    return {
        "acting_organization": getattr(request, "organization", None),
        "acting_roles": getattr(request, "roles", frozenset()),
    }


def shell(request: HttpRequest) -> dict[str, Any]:
    """The rail, the bar of a phone and the switchers; nothing is read for a page that does not show them."""
    page = request.resolver_match.url_name if request.resolver_match else None
    return {
        "rail_groups": GROUPS,
        "places": PLACES,
        "page_name": page or "",
        "is_elsewhere": is_elsewhere(page or ""),
        "consortia": SimpleLazyObject(lambda: visible_consortia(request)),
        "consortium": SimpleLazyObject(lambda: chosen_consortium(request)),
        "own_organizations": SimpleLazyObject(lambda: _organizations(request)),
    }


def _organizations(request: HttpRequest) -> list[Organization]:
    if not isinstance(request.user, User):
        return []
    found = {role.organization_id: role.organization for role in RoleAssignment.of(request.user)}
    return sorted(found.values(), key=lambda organization: organization.name)
