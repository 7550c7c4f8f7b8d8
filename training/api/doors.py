"""What the doors of training share: who asks, answered once, and a refusal recorded where a person tried."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from audit.acts import Actor, Subject
from audit.refusals import attempt
from consortium.common.idempotency import answer_once
from consortium.membership.access import require_member, require_role
from consortium.membership.models import User


def post_once(
    request: Request,
    *,
    roles: tuple[str, ...],
    action: str,
    subject: Subject,
    consortium_id: UUID | None,
    act: Callable[[UUID, Actor], Response],
    data: Mapping[str, Any] | None = None,
) -> Response:
    """Run `act(organization, actor)` once a key, for people of these roles; a refusal goes into the log.

    The log is the consortium's, or the organization's own where `consortium_id` is None.
    """
    organization = require_role(request, *roles)
    if consortium_id is not None:
        require_member(consortium_id, organization.pk)
    user: User = request.user  # type: ignore[assignment] # authenticated
    actor = Actor.person(user.pk, organization.pk)

    def recorded() -> Response:
        with attempt(
            action=action,
            organization_id=None if consortium_id else organization.pk,
            consortium_id=consortium_id,
            actor=actor,
            subject=subject,
            data=data or {},
        ):
            return act(organization.pk, actor)

    return answer_once(request, organization_id=organization.pk, principal=str(user.pk), act=recorded)
