"""Waiting for sites and chain on one listening connection: nothing is polled while nothing happens."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import psycopg
from django.db import connection

from consortium.membership.channel.work import ANSWERED
from training.notices import RUN_CHANGED

T = TypeVar("T")
# Silence is noticed by looking at the clock: so often at least the condition is looked at.
LONGEST_WAIT_SECONDS: Final = 1.0


def own_backend() -> int | None:
    """Return the process id of the server's side of this thread's connection."""
    return None if connection.connection is None else int(connection.connection.info.backend_pid)


class Waiter:
    """Looks at a condition when a site has answered or the run has changed.

    Parameters
    ----------
    check : callable
        Called before each look; raises where waiting makes no sense any more (lease lost, run canceled).
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._listener: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listener is not None:
            self._listener.close()

    def until(self, condition: Callable[[], T | None], *, seconds: float | None = None) -> T | None:
        """Return what the condition returns once that is not None; None after `seconds` (never, without)."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            self._check()
            if (found := condition()) is not None:
                return found
            left = LONGEST_WAIT_SECONDS if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return None
            self._next_notice(min(left, LONGEST_WAIT_SECONDS))

    def _next_notice(self, seconds: float) -> None:
        listener = self._listener or self._listen()
        try:
            for notice in listener.notifies(timeout=seconds):
                # What this coordinator wrote itself is no news to it.
                if notice.pid != own_backend():
                    break
        except psycopg.OperationalError:
            # What was missed meanwhile is seen by the look that follows.
            listener.close()
            self._listener = None

    def _listen(self) -> psycopg.Connection[Any]:
        parameters = connection.get_connection_params()
        for name in ("cursor_factory", "context", "prepare_threshold"):
            parameters.pop(name, None)
        listener = psycopg.connect(**parameters, autocommit=True)
        for channel in (ANSWERED, RUN_CHANGED):
            listener.execute(f"LISTEN {channel}")
        self._listener = listener
        return listener
