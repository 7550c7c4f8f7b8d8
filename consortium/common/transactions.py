"""Every request runs in one transaction, so that the database knows for whom it acts until the answer is made."""

from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from consortium.common.middleware import BothWaysMiddleware

# Long polls and probes hold no transaction while they wait.
WITHOUT_TRANSACTION = ("/api/v1/agent/work", "/healthz", "/readyz", "/static/")


def runs_without_transaction(request: HttpRequest) -> bool:
    return request.path.startswith(WITHOUT_TRANSACTION)


class RequestTransactionMiddleware(BothWaysMiddleware):
    """Open the request's transaction; the view's own savepoint rolls back what a refusal left half done."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        if runs_without_transaction(request):
            return self._rest(request)
        with transaction.atomic():
            return self._rest(request)

    async def answer_later(self, request: HttpRequest) -> HttpResponse:
        if runs_without_transaction(request):
            response: HttpResponse = await self.get_response(request)
            return response
        return await sync_to_async(self.answer, thread_sensitive=True)(request)

    def _rest(self, request: HttpRequest) -> HttpResponse:
        """Run the rest of the chain on this thread: a transaction belongs to a thread's connection."""
        get_response = async_to_sync(self.get_response) if self.is_async else self.get_response
        response: HttpResponse = get_response(request)
        return response
