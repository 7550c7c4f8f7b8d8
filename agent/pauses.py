"""How long to wait before asking again something that is away."""

import asyncio
import secrets

FIRST_SECONDS = 0.2
LONGEST_SECONDS = 5.0
_RANDOM = secrets.SystemRandom()


class Backoff:
    """Pauses that double up to 5 s, spread at random so that all sites do not come back in one instant."""

    def __init__(self, *, first_seconds: float = FIRST_SECONDS, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._first, self._longest = first_seconds, longest_seconds
        self._next = first_seconds

    def next_seconds(self) -> float:
        """Return the next pause: between half and all of the present step."""
        step, self._next = self._next, min(2 * self._next, self._longest)
        return _RANDOM.uniform(step / 2, step)

    def reset(self) -> None:
        """Begin anew, after an answer."""
        self._next = self._first

    async def pause(self) -> None:
        await asyncio.sleep(self.next_seconds())
