"""Refused attempts of people are recorded too, although the refusal rolls back everything else.

A view's own transaction is gone when the refusal leaves it, so the refusal waits for the middleware, which
still runs in the request's transaction. Elsewhere it is written at once, into the caller's transaction.
"""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from audit.acts import Actor, Subject
from audit.models.records import ActorKind, Outcome
from audit.recorder import NOTHING, record
from consortium.common.middleware import BothWaysMiddleware
from consortium.common.tenancy import act_for
from consortium.kernel.errors import ConsiliumError


@dataclass(frozen=True)
class Refusal:
    """An attempt that failed, with what was known of it."""

    action: str
    organization_id: uuid.UUID | None
    consortium_id: uuid.UUID | None
    actor: Actor
    subject: Subject
    data: Mapping[str, Any]
    error_code: str

    def write_later(self) -> None:
        """Write after the view: with what it did, its rollback took back for whom the transaction acts."""
        person = uuid.UUID(self.actor.id) if self.actor.kind == ActorKind.PERSON else None
        with act_for(organization_id=self.actor.organization_id, person_id=person):
            self.write()

    def write(self) -> None:
        record(
            action=self.action,
            organization_id=self.organization_id,
            consortium_id=self.consortium_id,
            actor=self.actor,
            subject=self.subject,
            data=self.data,
            outcome=Outcome.REFUSED,
            error_code=self.error_code,
        )


_waiting: ContextVar[list[Refusal] | None] = ContextVar("waiting_refusals", default=None)


@contextmanager
def attempt(
    *,
    action: str,
    organization_id: uuid.UUID | None,
    consortium_id: uuid.UUID | None,
    actor: Actor,
    subject: Subject,
    data: Mapping[str, Any] = NOTHING,
) -> Iterator[None]:
    """Run a block that may be refused: on a `ConsiliumError` it is undone, the refusal recorded, the error raised."""
    try:
        with transaction.atomic():
            yield
    except ConsiliumError as error:
        refusal = Refusal(action, organization_id, consortium_id, actor, subject, data, error.code)
        if (waiting := _waiting.get()) is not None:
            waiting.append(refusal)
        else:
            refusal.write()
        raise


class RefusalMiddleware(BothWaysMiddleware):
    """Write the refusals of a request once its view is done; stands after the one that knows the organization."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        refusals: list[Refusal] = []
        token = _waiting.set(refusals)
        try:
            response: HttpResponse = self.get_response(request)
        finally:
            _waiting.reset(token)
        _write(refusals)
        return response

    async def answer_later(self, request: HttpRequest) -> HttpResponse:
        refusals: list[Refusal] = []
        token = _waiting.set(refusals)
        try:
            response: HttpResponse = await self.get_response(request)
        finally:
            _waiting.reset(token)
        if refusals:
            await sync_to_async(_write, thread_sensitive=True)(refusals)
        return response


def _write(refusals: list[Refusal]) -> None:
    if refusals:
        with transaction.atomic():
            for refusal in refusals:
                refusal.write_later()
