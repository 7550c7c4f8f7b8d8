"""A person who asks something of training, at the API or on a page, and the refusal that goes into the log."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.http import HttpRequest
from rest_framework.request import Request

from audit.acts import Actor, Subject
from audit.refusals import attempt
from consortium.membership.access import require_member, require_role
from consortium.membership.models import User

R = TypeVar("R")


def require_asker(request: HttpRequest | Request, *roles: str, consortium_id: UUID | None) -> tuple[UUID, Actor]:
    """Return the organization that the person acts for, and the person, if they have one of the roles there.

    Raises
    ------
    NotFoundError, ForbiddenError
        If the organization does not see the consortium or is no member of it, or the person has none of the roles.
    """
    organization = require_role(request, *roles)
    if consortium_id is not None:
        require_member(consortium_id, organization.pk)
    user: User = request.user  # type: ignore[assignment] # authenticated
    return organization.pk, Actor.person(user.pk, organization.pk)


def attempted(
    act: Callable[[UUID, Actor], R],
    organization_id: UUID,
    actor: Actor,
    *,
    action: str,
    subject: Subject,
    consortium_id: UUID | None,
    data: Mapping[str, Any] | None,
) -> R:
    """Run `act(organization, actor)`; a refusal goes into the log.

    The log is the consortium's, or the organization's own where `consortium_id` is None.
    """
    with attempt(
        action=action,
        organization_id=None if consortium_id else organization_id,
        consortium_id=consortium_id,
        actor=actor,
        subject=subject,
        data=data or {},
    ):
        return act(organization_id, actor)
