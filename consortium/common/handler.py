"""How a request runs: whole on one thread of a few, save for the long poll, which holds none while it waits.

Django's handler makes a thread for each request, goes there and back for each middleware that is not asynchronous,
some twenty times, and starts an event loop in it for what is. Almost everything here works with the database, so
the synchronous chain is the natural one.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

import django
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.db import close_old_connections
from django.urls import set_script_prefix
from django.utils.module_loading import import_string

WAITING = "/api/v1/agent/work"
# What a long poll needs: no session, no form, no language. Its view knows agents by their token alone.
WAITING_MIDDLEWARE = (
    "django.middleware.security.SecurityMiddleware",
    "consortium.common.correlation.CorrelationMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)
# As many as the pool has connections: more would wait for one.
THREADS = 16


def web_application() -> "WebHandler":
    """Set Django up and return the application of the web process."""
    django.setup(set_prefix=False)
    return WebHandler()


class WebHandler(ASGIHandler):
    """Django's ASGI application with two chains of middleware instead of one."""

    def __init__(self) -> None:
        super().__init__()
        self._on_one_thread = BaseHandler()
        self._on_one_thread.load_middleware()
        self._threads = ThreadPoolExecutor(THREADS, "request")

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain of the long poll."""
        for kind in ("view", "template_response", "exception"):
            setattr(self, f"_{kind}_middleware", [])
        chain: Any = convert_exception_to_response(self._get_response_async)  # type: ignore[attr-defined] # of BaseHandler
        for path in reversed(WAITING_MIDDLEWARE):
            chain = convert_exception_to_response(import_string(path)(chain))
        self._middleware_chain = chain

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] == WAITING:
            await super().__call__(scope, receive, send)
            return
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        # What a request sets, its correlation id among it, is not there for the thread's next one.
        run = contextvars.copy_context().run
        response = await asyncio.get_running_loop().run_in_executor(self._threads, run, self._answer, scope, body)
        await self.send_response(response, send)
        if response.streaming:
            response.close()

    def _answer(self, scope: Any, body: IO[bytes]) -> Any:
        """Return the response; the request has ended and its connection is given back, save for what streams."""
        with body:
            set_script_prefix(get_script_prefix(scope))
            signals.request_started.send(sender=type(self), scope=scope)
            response = self._respond(scope, body)
            if not response.streaming:
                response.close()
            elif not response.is_async:
                # Static files, small ones: read here, since a thread's iterator cannot be sent by the loop.
                response.streaming_content = _each(list(response.streaming_content))
            close_old_connections()
            return response

    def _respond(self, scope: Any, body: IO[bytes]) -> Any:
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else self._on_one_thread.get_response(request)
        response._handler_class = type(self)
        return response


async def _each(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
