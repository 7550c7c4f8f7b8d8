"""Which step of a run comes next, from what is durable alone: any coordinator goes on where another stopped."""

from dataclasses import dataclass
from enum import StrEnum

from training.domain.states import AttemptState


class Step(StrEnum):
    """Everything a coordinator does, in the order of a round."""

    OPEN_RUN = "open_run"
    ANNOUNCE = "announce"
    OPEN = "open"
    SHARES = "shares"
    TRAIN = "train"
    SURVIVORS = "survivors"
    REVEAL = "reveal"
    AGGREGATE = "aggregate"
    VERIFY = "verify"
    CLOSE = "close"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """An attempt as its rows stand; a Boolean says that what it names is durable."""

    round: int
    number: int
    state: str
    announcement: int = 1
    committed: bool = False
    collected: bool = False
    signed: bool = False
    released: bool = False
    aggregated: bool = False
    verified: bool = False


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run as its rows stand. `latest` is its newest attempt, `previous` the one that closes with its opening."""

    rounds: int
    is_open: bool
    is_pausing: bool = False
    latest: AttemptFacts | None = None
    previous: AttemptFacts | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """A step, and the round and attempt it belongs to (0 for none)."""

    step: Step
    round: int = 0
    attempt: int = 0


def next_step(run: RunFacts) -> Next:
    """Return the step that comes next."""
    if not run.is_open:
        return Next(Step.OPEN_RUN)
    attempt = run.latest
    if attempt is None:
        return Next(Step.ANNOUNCE, 1, 1)
    if attempt.state == AttemptState.ABANDONED:
        return Next(Step.ANNOUNCE, attempt.round, attempt.number + 1)
    if attempt.state == AttemptState.CLOSED:
        done = attempt.round == run.rounds
        return Next(Step.FINISHED) if done else Next(Step.ANNOUNCE, attempt.round + 1, 1)
    if attempt.state == AttemptState.ANNOUNCED:
        return _before_opening(run, attempt)
    if attempt.state == AttemptState.REVEALED and attempt.verified:
        if attempt.round == run.rounds or run.is_pausing:
            return Next(Step.CLOSE, attempt.round, attempt.number)
        return Next(Step.ANNOUNCE, attempt.round + 1, 1)
    return Next(_within(attempt), attempt.round, attempt.number)


def _before_opening(run: RunFacts, attempt: AttemptFacts) -> Next:
    """Announce or open; a second announcement waits for nobody's close, so the round before is closed by itself."""
    previous = run.previous
    if (
        previous is not None
        and previous.state == AttemptState.REVEALED
        and (attempt.announcement > 1 or run.is_pausing)
    ):
        return Next(Step.CLOSE, previous.round, previous.number)
    return Next(Step.OPEN if attempt.committed else Step.ANNOUNCE, attempt.round, attempt.number)


def _within(attempt: AttemptFacts) -> Step:
    if attempt.state == AttemptState.OPEN:
        return Step.SHARES
    if attempt.state == AttemptState.COLLECTING:
        if not attempt.collected:
            return Step.TRAIN
        return Step.REVEAL if attempt.signed else Step.SURVIVORS
    if not attempt.released:
        return Step.REVEAL
    return Step.VERIFY if attempt.aggregated else Step.AGGREGATE
