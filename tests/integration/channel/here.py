"""An agent in a thread of its own, answered by Django in the test's: its transaction belongs to that thread alone."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from typing import Any, TypeVar

import httpx
from django.test import Client

Result = TypeVar("Result")


class Here:
    """What another thread asks is put into a queue, and answered in the one that drives."""

    def __init__(self) -> None:
        self._asked: Queue[tuple[Callable[[], Any], Future[Any]]] = Queue()

    async def ask(self, request: Callable[[], Any]) -> Any:
        """Let the driving thread run `request`, and wait for what it returns."""
        future: Future[Any] = Future()
        self._asked.put((request, future))
        return await asyncio.wrap_future(future)

    def drive(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run the work in another thread and answer what it asks."""
        with ThreadPoolExecutor(1) as thread:
            going = thread.submit(asyncio.run, work)
            going.add_done_callback(lambda _: self._asked.put((lambda: None, Future())))
            while not going.done():
                request, future = self._asked.get(timeout=20)
                try:
                    future.set_result(request())
                except BaseException as error:
                    future.set_exception(error)
                    raise
            return going.result()


class PlatformHere(httpx.AsyncBaseTransport):
    """An agent's way to the platform: its own requests, answered by Django's test client."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self._client = Client()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        answer = await self._here.ask(lambda: self._answer(request, content))
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)

    def _answer(self, request: httpx.Request, content: bytes) -> Any:
        kind = request.headers.get("content-type", "application/octet-stream")
        passed = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        return self._client.generic(request.method, request.url.raw_path.decode(), content, kind, headers=passed)
