"""The shape of a middleware that serves synchronous and asynchronous views alike."""

from collections.abc import Awaitable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse


class BothWaysMiddleware:
    """Subclasses give `answer` for the synchronous chain and `answer_later` for the asynchronous one."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        # Any: a plain function in one chain, a coroutine function in the other.
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        return self.answer_later(request) if self.is_async else self.answer(request)

    def answer(self, request: HttpRequest) -> HttpResponse:
        raise NotImplementedError

    async def answer_later(self, request: HttpRequest) -> HttpResponse:
        raise NotImplementedError
