"""How a request runs: whole on one thread, save for the long poll, which holds none while it waits.

Django's handler goes to the thread and back for each middleware that is not asynchronous, some twenty times a
request, and starts an event loop in it for what is. Almost everything here works with the database, so the
synchronous chain is the natural one.
"""

from typing import Any

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string

WAITING = "/api/v1/agent/work"
# What a long poll needs: no session, no form, no language. Its view knows agents by their token alone.
WAITING_MIDDLEWARE = (
    "django.middleware.security.SecurityMiddleware",
    "consortium.common.correlation.CorrelationMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)


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

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain of the long poll."""
        for kind in ("view", "template_response", "exception"):
            setattr(self, f"_{kind}_middleware", [])
        chain: Any = convert_exception_to_response(self._get_response_async)  # type: ignore[attr-defined] # of BaseHandler
        for path in reversed(WAITING_MIDDLEWARE):
            chain = convert_exception_to_response(import_string(path)(chain))
        self._middleware_chain = chain

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == WAITING:
            return await super().get_response_async(request)
        return await sync_to_async(self._on_one_thread.get_response, thread_sensitive=True)(request)
