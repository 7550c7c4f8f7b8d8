"""One id that follows an act from the door through audit, outbox and sites."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

from consortium.common.middleware import BothWaysMiddleware

HEADER = "X-Correlation-Id"
_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_current: ContextVar[str | None] = ContextVar("correlation_id", default=None)


def correlation_id() -> str:
    """The id of the present act; a new one where no door has set any."""
    if (value := _current.get()) is None:
        value = str(uuid.uuid4())
        _current.set(value)
    return value


def set_correlation_id(value: str | None) -> None:
    """Take over the id of an earlier step; None starts a new one."""
    _current.set(value)


@contextmanager
def following(value: str | None) -> Iterator[None]:
    """Act under the id of an earlier step until the block ends; None starts a new one."""
    token = _current.set(value)
    try:
        yield
    finally:
        _current.reset(token)


class CorrelationMiddleware(BothWaysMiddleware):
    """Take the caller's correlation id if it is a UUID, else make one; name it in the answer."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        self._take_over(request)
        return self._name(self.get_response(request))

    async def answer_later(self, request: HttpRequest) -> HttpResponse:
        self._take_over(request)
        return self._name(await self.get_response(request))

    @staticmethod
    def _take_over(request: HttpRequest) -> None:
        given = request.headers.get(HEADER, "")
        set_correlation_id(given if _FORM.fullmatch(given) else None)

    @staticmethod
    def _name(response: HttpResponse) -> HttpResponse:
        response.headers[HEADER] = correlation_id()
        return response
