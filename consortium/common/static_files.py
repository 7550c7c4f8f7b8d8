"""Static files by WhiteNoise, for their own paths only.

WhiteNoise's middleware is synchronous: in the chain of every request it would hold
a thread for each agent that waits for work.
"""

from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware

from consortium.common.middleware import BothWaysMiddleware


class StaticFilesMiddleware(BothWaysMiddleware):
    """Answer requests below STATIC_URL; pass all others on."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self.files = WhiteNoiseMiddleware(_nothing)

    def answer(self, request: HttpRequest) -> HttpResponse:
        answerer = self.files if _is_static(request) else self.get_response
        response: HttpResponse = answerer(request)
        return response

    async def answer_later(self, request: HttpRequest) -> HttpResponse:
        if _is_static(request):
            return await sync_to_async(self.answer, thread_sensitive=True)(request)
        response: HttpResponse = await self.get_response(request)
        return response


def _is_static(request: HttpRequest) -> bool:
    return request.path_info.startswith(str(settings.STATIC_URL))


def _nothing(request: HttpRequest) -> HttpResponse:
    raise Http404("There is no such file.")
