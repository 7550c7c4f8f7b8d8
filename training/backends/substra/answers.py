"""Sites' answers as the coordinator hands them on, and the tasks that wait for them."""

import threading
from typing import NamedTuple


class Place(NamedTuple):
    """One site in one attempt."""

    round: int
    attempt: int
    site: str


class SiteLostError(Exception):
    """The site gives no answer in this attempt."""


class CanceledError(Exception):
    """The run was canceled while a task waited."""


class Answers:
    """One thread hands answers in, another waits for them; an answer once given stays."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._vectors: dict[Place, bytes] = {}
        self._lost: dict[Place, str] = {}
        self._is_canceled = False

    def deliver(self, place: Place, vector: bytes) -> None:
        with self._changed:
            self._vectors.setdefault(place, vector)
            self._changed.notify_all()

    def lose(self, place: Place, reason: str) -> None:
        with self._changed:
            self._lost.setdefault(place, reason)
            self._changed.notify_all()

    def cancel(self) -> None:
        with self._changed:
            self._is_canceled = True
            self._changed.notify_all()

    def wait(self, place: Place) -> bytes:
        """Return the site's masked vector, and keep it no longer.

        Raises
        ------
        SiteLostError
            With the coordinator's reason.
        CanceledError
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_canceled or place in self._vectors or place in self._lost)
            if place in self._vectors:
                return self._vectors.pop(place)
            if place in self._lost:
                raise SiteLostError(self._lost[place])
            raise CanceledError
