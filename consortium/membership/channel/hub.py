"""One listening connection for all agents that wait: a poll holds neither a transaction nor a thread."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterator

import psycopg
from django.db import connection

from consortium.membership.channel.work import NEW_WORK

logger = logging.getLogger(__name__)
RECONNECT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 20.0
_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# Ids of work with commas between, or none.
IDS_PATTERN = f"^({_ID}(,{_ID})*)?$"


class WorkHub:
    """Wakes the polls of an organization when work for it is committed."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def waiter(self, organization: str) -> Iterator[asyncio.Event]:
        """An event that is set when work for `organization` may have come; register before looking."""
        self._ensure_listening()
        event = asyncio.Event()
        self._waiting[organization].add(event)
        try:
            yield event
        finally:
            self._waiting[organization].discard(event)

    async def stop(self) -> None:
        """End the listening connection; the next poll opens another."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def _ensure_listening(self) -> None:
        if self._task is None or self._task.done() or self._task.get_loop() is not asyncio.get_running_loop():
            self._task = asyncio.get_running_loop().create_task(self._listen_for_ever())

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                await self._listen()
            except psycopg.OperationalError as error:
                logger.warning("The channel to the agents lost its database connection: %s", type(error).__name__)
                self._wake_all()
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        parameters = connection.get_connection_params()
        for name in ("cursor_factory", "context", "prepare_threshold"):
            parameters.pop(name, None)
        async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as listener:
            await listener.execute(f"LISTEN {NEW_WORK}")
            self._wake_all()
            async for notice in listener.notifies():
                for event in self._waiting.get(notice.payload, set()):
                    event.set()

    def _wake_all(self) -> None:
        """After a gap nobody knows what was missed: everybody looks once."""
        for events in self._waiting.values():
            for event in events:
                event.set()


hub = WorkHub()
