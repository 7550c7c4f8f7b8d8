"""Which of several nodes of one chain is asked: the highest fresh head, one node for all parts of an answer.

Nodes show their heads at a look, every few seconds and as soon as one has failed. The node in use is kept while it
keeps up, so that a sender's nonces meet one pool; it is left when it does not answer, lags behind another one, or
shows an old head where another shows a fresh one. Where all show the same old head, the network stands still and
no node is to blame: none is left then. What was shown once is not taken back by a slower node.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from contracts.errors import ChainBehindError, ChainError, ChainUnavailableError
from contracts.events import BlockHeader

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
# After a node has another one's block it takes 0.03 to 0.35 s to see it too, at blocks of one second.
MAX_LAG_BLOCKS = 2
# Blocks come each second, or each minute where nothing is sent (emptyblockperiodseconds).
MAX_HEAD_AGE_SECONDS = 90
# A node that failed is looked at again after 1, 2, 4, ... seconds.
FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 30.0
# So long all nodes have to be below what was shown before it is taken for a shorter chain.
REWOUND_AFTER_SECONDS = 10.0


class NetworkState(StrEnum):
    """What the looks together say of a network."""

    FRESH = "fresh"
    FROZEN = "frozen"  # every node that answers shows an old head: the quorum is lost
    SILENT = "silent"  # no node answers


def choose(sights: Mapping[int, BlockHeader], *, current: int, now: float) -> int:
    """The node to ask, of those that showed a head; `now` is Unix time.

    The one in use, unless it is missing, lags, or is old where another is fresh; else the highest fresh head.
    """
    best = max(sights, key=lambda index: _rank(sights[index], now))
    if current not in sights:
        return best
    lag = sights[best].number - sights[current].number
    is_old = _is_fresh(sights[best], now) and not _is_fresh(sights[current], now)
    return best if lag > MAX_LAG_BLOCKS or (is_old and lag > 0) else current


def state_of(sights: Mapping[int, BlockHeader], *, now: float) -> NetworkState:
    """Whether the network moves, as far as the nodes that answered can tell."""
    if not sights:
        return NetworkState.SILENT
    return NetworkState.FRESH if any(_is_fresh(head, now) for head in sights.values()) else NetworkState.FROZEN


def _rank(head: BlockHeader, now: float) -> tuple[bool, int]:
    return _is_fresh(head, now), head.number


def _is_fresh(head: BlockHeader, now: float) -> bool:
    return now - head.time <= MAX_HEAD_AGE_SECONDS


@dataclass
class _Fault:
    """A node that failed: not looked at before `until` (monotonic)."""

    until: float
    pause: float


class NodeChoice:
    """The choice over time; may be asked by several threads.

    Parameters
    ----------
    names : what to call the nodes in the log
    look : asks a node for its head, quickly; a `ChainError` means that it is not to be used
    """

    def __init__(
        self,
        names: list[str],
        look: Callable[[int], BlockHeader],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._names = names
        self._look = look
        self._monotonic = monotonic
        self._now = now
        self._lock = threading.RLock()
        self._current = 0
        self._sights: dict[int, BlockHeader] = {}
        self._faults: dict[int, _Fault] = {}
        self._next_look = float("-inf")
        self._pins = 0
        self._shown = -1
        self._behind_since: float | None = None

    def current(self) -> int:
        """The node to ask now.

        Raises
        ------
        ChainUnavailableError
            If no node answers.
        ChainBehindError
            If only nodes answer that have fewer blocks than were shown already.
        ChainError
            What the nodes refuse, if all do: wrong chain, wrong token.
        """
        if len(self._names) == 1:
            return 0
        if not self._lock.acquire(blocking=self._current in self._faults):
            # Somebody is looking; meanwhile the node in use serves.
            return self._current
        try:
            is_failed = self._current in self._faults
            if is_failed or (not self._pins and self._monotonic() >= self._next_look):
                self._choose()
            return self._current
        finally:
            self._lock.release()

    def failed(self, index: int) -> None:
        """Note that a node did not answer: the next question looks for another."""
        with self._lock:
            before = self._faults.get(index)
            pause = FIRST_PAUSE_SECONDS if before is None else min(before.pause * 2, MAX_PAUSE_SECONDS)
            self._faults[index] = _Fault(self._monotonic() + pause, pause)
            self._sights.pop(index, None)

    def showed(self, number: int) -> None:
        """Note the height of a block that a caller has been given."""
        with self._lock:
            self._shown = max(self._shown, number)

    @contextmanager
    def pinned(self) -> Iterator[None]:
        """Keep the node in use while it answers, even where another one is ahead of it."""
        with self._lock:
            self._pins += 1
        try:
            yield
        finally:
            with self._lock:
                self._pins -= 1

    def sights(self) -> dict[str, BlockHeader | None]:
        """Look at all nodes now: each one's head by its name, None where it did not answer."""
        with self._lock:
            self._faults.clear()
            self._look_at_all()
            return {name: self._sights.get(index) for index, name in enumerate(self._names)}

    def _choose(self) -> None:
        errors = self._look_at_all()
        if not self._sights:
            raise _all_failed(errors)
        chosen = choose(self._sights, current=self._current, now=self._now())
        self._require_not_behind(self._sights[chosen])
        if chosen != self._current:
            logger.warning("Asking %s, and %s no more.", self._names[chosen], self._names[self._current])
        self._current = chosen
        self._next_look = self._monotonic() + LOOK_SECONDS

    def _look_at_all(self) -> list[ChainError]:
        """Look at every node that is not in a pause, or at all if all are."""
        moment = self._monotonic()
        due = [i for i in range(len(self._names)) if i not in self._faults or self._faults[i].until <= moment]
        errors: list[ChainError] = []
        for index in due or range(len(self._names)):
            try:
                self._sights[index] = self._look(index)
                self._faults.pop(index, None)
            except ChainError as error:
                if index not in self._faults:
                    logger.warning("%s is not asked for now: %s", self._names[index], error.message)
                errors.append(error)
                self.failed(index)
        return errors

    def _require_not_behind(self, head: BlockHeader) -> None:
        if head.number >= self._shown:
            self._behind_since = None
            return
        moment = self._monotonic()
        self._behind_since = moment if self._behind_since is None else self._behind_since
        if len(self._sights) < len(self._names) or moment - self._behind_since < REWOUND_AFTER_SECONDS:
            raise ChainBehindError(
                f"The nodes that answer stand at block {head.number}, and block {self._shown} was read before. "
                "They are asked again; if it stays so, look after the nodes that do not answer."
            )
        # All nodes agree, and for long: whoever asks sees the shorter chain, and raises the alarm.
        logger.warning("All nodes stand at block %d; block %d was read before.", head.number, self._shown)
        self._shown, self._behind_since = head.number, None


def _all_failed(errors: list[ChainError]) -> ChainError:
    """One error for all: theirs, where none of them can pass by itself."""
    lasting = [error for error in errors if not error.retryable]
    if errors and len(lasting) == len(errors):
        return lasting[0]
    reasons = "; ".join(sorted({error.message for error in errors}))[:500]
    return ChainUnavailableError(f"No node answers. Start one, or correct CHAIN_RPC_URL. {reasons}".strip())
