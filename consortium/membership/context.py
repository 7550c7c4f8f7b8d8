"""What every page shows: the organization one acts for and the roles one has there."""

from typing import Any

from django.http import HttpRequest


def organization(request: HttpRequest) -> dict[str, Any]:
    return {
        "acting_organization": getattr(request, "organization", None),
        "acting_roles": getattr(request, "roles", frozenset()),
    }
