"""Starts again what ended by itself: the part of an init system, for the programs of one instance.

A program that ends is started again after a pause that grows with each end in a row. One whose exit status asks for
a person, or that ends again and again, is given up and stays ended.
"""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from consortium.embedded.errors import EmbeddedError
from consortium.embedded.tied import TiedProcess

FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 30.0
# Whoever ran for so long has come up well: the next pause is the first one again.
STEADY_SECONDS = 60.0
# With pauses of 0.5, 1, 2, ... half a minute of trying.
MAX_ENDS_IN_A_ROW = 6
_LOOK_SECONDS = 0.1


def _nothing() -> None:
    """What most programs need before a start and while they run."""


@dataclass
class _Kept:
    process: TiedProcess
    final: frozenset[int]
    prepare: Callable[[], None]
    tend: Callable[[], None]
    started_at: float
    ends: int = 0
    due_at: float | None = None
    given_up: bool = False


@dataclass
class Keeper:
    """Looks after processes from a thread of its own, and says in `log` what it did.

    The thread lives until `close`: a child is tied to the thread that started it.
    """

    log: Path
    first_pause_seconds: float = FIRST_PAUSE_SECONDS
    _kept: dict[int, _Kept] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _resting: bool = False
    _closed: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def keep(
        self,
        process: TiedProcess,
        *,
        final: frozenset[int] = frozenset(),
        prepare: Callable[[], None] = _nothing,
        tend: Callable[[], None] = _nothing,
    ) -> None:
        """Start `process` again whenever it ends by itself, unless with a status of `final`.

        `prepare` is called before each new start and mends what the end has left; `tend` is called again and again
        while the process runs. Both have to be quick.
        """
        with self._lock:
            self._kept[id(process)] = _Kept(process, final, prepare, tend, time.monotonic())
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
            self._thread.start()

    def looks_after(self, process: TiedProcess) -> bool:
        """Whether the process, if it has ended, will be started again."""
        kept = self._kept.get(id(process))
        return kept is not None and not kept.given_up

    def rest(self) -> None:
        """Start nothing any more: the instance is being stopped. A start under way is finished first."""
        with self._lock:
            self._resting = True

    def close(self) -> None:
        """End the thread, once all that it started has been stopped."""
        self.rest()
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            with self._lock:
                for kept in [] if self._resting else list(self._kept.values()):
                    self._look_after(kept)

    def _look_after(self, kept: _Kept) -> None:
        if kept.given_up or not kept.process.is_wanted:
            return
        if kept.process.is_running():
            kept.due_at = None
            kept.tend()
        elif kept.due_at is None:
            self._note_end(kept)
        elif time.monotonic() >= kept.due_at:
            self._start(kept)

    def _note_end(self, kept: _Kept) -> None:
        process, now = kept.process, time.monotonic()
        # What it started must not work on beside its successor.
        process.end_session()
        kept.ends = 1 if now - kept.started_at >= STEADY_SECONDS else kept.ends + 1
        kept.given_up = process.status in kept.final or kept.ends >= MAX_ENDS_IN_A_ROW
        if kept.given_up:
            self._tell(f"{process.name} {process.how_it_ended()} and is not started again. Its log: {process.log}")
            return
        pause = min(self.first_pause_seconds * 2 ** (kept.ends - 1), MAX_PAUSE_SECONDS)
        kept.due_at = now + pause
        self._tell(f"{process.name} {process.how_it_ended()}; it is started again in {pause:g} s.")

    def _start(self, kept: _Kept) -> None:
        kept.started_at, kept.due_at = time.monotonic(), None
        try:
            kept.prepare()
            kept.process.start()
        except (OSError, EmbeddedError) as error:
            self._tell(f"{kept.process.name} could not be started: {error}")
        else:
            self._tell(f"{kept.process.name} is started again as process {kept.process.pid}.")

    def _tell(self, text: str) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            log.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {text}\n")
        sys.stderr.write(f"{text}\n")
