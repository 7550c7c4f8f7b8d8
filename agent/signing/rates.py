"""How many signatures a key has made in the last minute, counted in the journal, which no restart empties."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from agent.clock import Clock, now, timestamp
from agent.journal import Journal
from agent.keystore import KeyPurpose

WINDOW = timedelta(minutes=1)


class Rates:
    """One site's counts: what the journal holds, whichever program made it, and what this process is about to sign."""

    def __init__(self, journal: Journal, *, clock: Clock = now) -> None:
        self._journal = journal
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way: Counter[KeyPurpose] = Counter()

    @contextmanager
    def reserved(self, purpose: KeyPurpose, most: int) -> Iterator[bool]:
        """Say whether the key may sign once more, and keep that one place until the block ends."""
        with self._lock:
            is_free = self.made(purpose) + self._under_way[purpose] < most
            self._under_way[purpose] += is_free
        try:
            yield is_free
        finally:
            with self._lock:
                self._under_way[purpose] -= is_free

    def made(self, purpose: KeyPurpose) -> int:
        """Return the signatures of the last minute. A clock that was set back counts them longer, never shorter."""
        since = timestamp(self._clock() - WINDOW)
        # Backwards along the primary key, as far as a minute of entries goes, however long the journal is.
        floor = "SELECT coalesce(max(position), 0) FROM (SELECT position FROM entries WHERE time <= ? "
        floor += "ORDER BY position DESC LIMIT 1)"
        statement = (
            f"SELECT count(*) FROM entries WHERE position > ({floor}) AND kind = 'signature' AND outcome = 'signed' "  # noqa: S608  constants
            "AND json_extract(detail, '$.purpose') = ? AND time > ?"
        )
        ((count,),) = self._journal.read(statement, since, purpose.value, since)
        return int(count)
