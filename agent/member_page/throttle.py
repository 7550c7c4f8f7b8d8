"""Slows guessing: wrong pass phrases are counted for each name and for the page as a whole."""

import math
from collections import deque

from agent.clock import Clock, now
from agent.errors import TooManyAttemptsError

WINDOW_SECONDS = 300
# A person who mistypes has five tries; the page as a whole bears more, so that one cannot lock everybody out cheaply.
FAILURES_A_NAME = 5
FAILURES_IN_ALL = 50
_MOST_NAMES = 1000


class Throttle:
    """Counts failures of the last five minutes; used from the event loop alone."""

    def __init__(self, *, clock: Clock = now) -> None:
        self._clock = clock
        self._by_name: dict[str, deque[float]] = {}
        self._in_all: deque[float] = deque()

    def require_free(self, name: str) -> None:
        """Refuse a try while the name, or the page, has had too many wrong ones."""
        for failures, most in ((self._by_name.get(name, deque()), FAILURES_A_NAME), (self._in_all, FAILURES_IN_ALL)):
            self._forget(failures)
            if len(failures) >= most:
                wait = math.ceil(failures[0] + WINDOW_SECONDS - self._moment())
                raise TooManyAttemptsError(f"Too many wrong pass phrases. Wait {wait} s and try again.", seconds=wait)

    def fail(self, name: str) -> None:
        """Count a wrong pass phrase."""
        if len(self._by_name) >= _MOST_NAMES:
            self._by_name = {known: times for known, times in self._by_name.items() if self._forget(times)}
        for failures in (self._by_name.setdefault(name, deque()), self._in_all):
            failures.append(self._moment())

    def succeed(self, name: str) -> None:
        """Forget the name's failures; those of the page stay."""
        self._by_name.pop(name, None)

    def _forget(self, failures: deque[float]) -> bool:
        while failures and failures[0] <= self._moment() - WINDOW_SECONDS:
            failures.popleft()
        return bool(failures)

    def _moment(self) -> float:
        return self._clock().timestamp()
