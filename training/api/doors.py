"""What the doors of training share: who asks, answered once, and a refusal recorded where a person tried."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from audit.acts import Actor, Subject
from consortium.common.idempotency import answer_once
from training.asking import attempted, require_asker


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
    organization_id, actor = require_asker(request, *roles, consortium_id=consortium_id)

    def recorded() -> Response:
        return attempted(
            act, organization_id, actor, action=action, subject=subject, consortium_id=consortium_id, data=data
        )

    return answer_once(request, organization_id=organization_id, principal=str(request.user.pk), act=recorded)
