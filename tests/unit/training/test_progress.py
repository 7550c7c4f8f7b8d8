"""The next step follows from what is durable alone, and every run that is served comes to its end."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.domain.progress import AttemptFacts, Next, RunFacts, Step, next_step

OPEN = AttemptFacts(1, 1, "open")
VERIFIED = AttemptFacts(1, 1, "revealed", collected=True, signed=True, released=True, aggregated=True, verified=True)
CASES = [
    (RunFacts(3, is_open=False), Next(Step.OPEN_RUN)),
    (RunFacts(3, is_open=True), Next(Step.ANNOUNCE, 1, 1)),
    (RunFacts(3, True, latest=AttemptFacts(1, 1, "announced")), Next(Step.ANNOUNCE, 1, 1)),
    (RunFacts(3, True, latest=AttemptFacts(1, 1, "announced", committed=True)), Next(Step.OPEN, 1, 1)),
    (RunFacts(3, True, latest=OPEN), Next(Step.SHARES, 1, 1)),
    (RunFacts(3, True, latest=replace(OPEN, state="collecting")), Next(Step.TRAIN, 1, 1)),
    (RunFacts(3, True, latest=replace(OPEN, state="collecting", collected=True)), Next(Step.SURVIVORS, 1, 1)),
    (RunFacts(3, True, latest=AttemptFacts(1, 1, "collecting", 1, True, True, True)), Next(Step.REVEAL, 1, 1)),
    (RunFacts(3, True, latest=AttemptFacts(1, 1, "revealed", 1, True, True, True)), Next(Step.REVEAL, 1, 1)),
    (RunFacts(3, True, latest=replace(VERIFIED, verified=False, aggregated=False)), Next(Step.AGGREGATE, 1, 1)),
    (RunFacts(3, True, latest=replace(VERIFIED, verified=False)), Next(Step.VERIFY, 1, 1)),
    (RunFacts(3, True, latest=VERIFIED), Next(Step.ANNOUNCE, 2, 1)),
    (RunFacts(1, True, latest=VERIFIED), Next(Step.CLOSE, 1, 1)),
    (RunFacts(3, True, is_pausing=True, latest=VERIFIED), Next(Step.CLOSE, 1, 1)),
    (RunFacts(3, True, latest=AttemptFacts(2, 1, "announced"), previous=VERIFIED), Next(Step.ANNOUNCE, 2, 1)),
    (RunFacts(3, True, latest=AttemptFacts(2, 1, "announced", 2), previous=VERIFIED), Next(Step.CLOSE, 1, 1)),
    (
        RunFacts(3, True, is_pausing=True, latest=AttemptFacts(2, 1, "announced"), previous=VERIFIED),
        Next(Step.CLOSE, 1, 1),
    ),
    (RunFacts(3, True, latest=AttemptFacts(2, 1, "abandoned")), Next(Step.ANNOUNCE, 2, 2)),
    (RunFacts(3, True, latest=AttemptFacts(2, 3, "closed")), Next(Step.ANNOUNCE, 3, 1)),
    (RunFacts(3, True, latest=AttemptFacts(3, 1, "closed")), Next(Step.FINISHED)),
]


@pytest.mark.parametrize(("run", "expected"), CASES)
def test_the_next_step_is(run: RunFacts, expected: Next) -> None:
    assert next_step(run) == expected


def served(run: RunFacts, step: Next, fails: bool) -> RunFacts:
    """What the rows say after a step; an attempt may fail at any step within it."""
    latest, previous = run.latest, run.previous
    if step.step is Step.OPEN_RUN:
        return replace(run, is_open=True)
    if step.step is Step.ANNOUNCE:
        if latest is None or (latest.round, latest.number) != (step.round, step.attempt):
            if latest is not None and latest.round < step.round:
                previous = latest
            latest = AttemptFacts(step.round, step.attempt, "announced")
        changed: dict[str, Any] = {"announcement": latest.announcement + 1} if fails else {"committed": True}
        return replace(run, latest=replace(latest, **changed), previous=previous)
    assert latest is not None
    if step.step is Step.OPEN:
        closed = None if previous is None else replace(previous, state="closed")
        return replace(run, latest=replace(latest, state="open"), previous=closed)
    if step.step is Step.CLOSE:
        if (latest.round, latest.number) == (step.round, step.attempt):
            return replace(run, latest=replace(latest, state="closed"))
        assert previous is not None
        return replace(run, previous=replace(previous, state="closed"))
    if fails:
        return replace(run, latest=replace(latest, state="abandoned"))
    effects: dict[Step, dict[str, Any]] = {
        Step.SHARES: {"state": "collecting"},
        Step.TRAIN: {"collected": True},
        Step.SURVIVORS: {"signed": True},
        Step.REVEAL: {"state": "revealed", "released": True},
        Step.AGGREGATE: {"aggregated": True},
        Step.VERIFY: {"verified": True},
    }
    return replace(run, latest=replace(latest, **effects[step.step]))


@settings(max_examples=60, deadline=None)
@given(rounds=st.integers(1, 4), fails=st.lists(st.booleans(), max_size=25))
def test_a_run_whose_failures_end_closes_every_round_once_and_in_order(rounds: int, fails: list[bool]) -> None:
    run, closed = RunFacts(rounds, is_open=False), []
    failing = iter(fails)
    for _ in range(200):
        step = next_step(run)
        if step.step is Step.FINISHED:
            break
        before = run.previous
        run = served(run, step, next(failing, False))
        if step.step is Step.CLOSE:
            closed.append(step.round)
        elif step.step is Step.OPEN and before is not None and before.state == "revealed":
            closed.append(before.round)

    assert closed == list(range(1, rounds + 1))
