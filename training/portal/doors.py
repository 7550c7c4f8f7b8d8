"""What the forms of training's pages share: who asks, a refusal recorded where a person tried, and its answer."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from audit.acts import Actor, Subject
from consortium.kernel.errors import ForbiddenError, NotFoundError
from training.asking import attempted, require_asker

ROLES = ("scientist", "admin")
R = TypeVar("R")


def own_id(request: HttpRequest) -> UUID | None:
    """The organization that the reader acts for; None for auditors and for people without any."""
    organization = getattr(request, "organization", None)
    return organization.pk if organization is not None else None


def has_role(request: HttpRequest, *roles: str) -> bool:
    """Whether a page offers what these roles may do; the act itself is held to them again."""
    return bool(set(roles) & getattr(request, "roles", frozenset()))


def act_as_person(
    request: HttpRequest,
    act: Callable[[UUID, Actor], R],
    *,
    roles: tuple[str, ...],
    action: str,
    subject: Subject,
    consortium_id: UUID | None,
    data: Mapping[str, Any] | None = None,
) -> R:
    """Run `act(organization, actor)` for people of these roles; a refusal goes into the log, as at the API.

    Raises
    ------
    ConsiliumError
        The refusal, for the page to show; `Http404` and `PermissionDenied` where there is no page to show.
    """
    try:
        asker = require_asker(request, *roles, consortium_id=consortium_id)
        return attempted(act, *asker, action=action, subject=subject, consortium_id=consortium_id, data=data)
    except NotFoundError as error:
        raise Http404 from error
    except ForbiddenError as error:
        raise PermissionDenied(error.message) from error
