"""The steps of a new member's node, from application to validating, each looked at before the next.

Nothing is kept: each look reads everything anew, so it may be asked again at any moment and goes on
where the network is. What is done by people, other programs or votes is told as what comes next.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from consortium.kernel.errors import ConsiliumError
from contracts.network import joining_steps as steps_of
from contracts.network.joining_steps import Candidate
from contracts.network.points import Point, State

__all__ = ["Candidate", "exit_status", "look_at_steps"]


def look_at_steps(candidate: Candidate) -> list[Point]:
    """The steps in order; those behind the first that is not done are told as later and not looked at."""
    steps: list[Point] = []
    for name, look in _STEPS:
        if steps and steps[-1].state in (State.WAITING, State.WRONG):
            break
        steps.append(replace(_guarded(look, candidate), name=name))
    later = [Point(name, State.NOT_APPLICABLE, "Later.") for name, _ in _STEPS[len(steps) :]]
    return [*steps, *later]


def exit_status(steps: Sequence[Point]) -> int:
    """0 if all is done, 1 if something is waited for, 2 if something is wrong."""
    states = {step.state for step in steps}
    return 2 if State.WRONG in states else int(State.WAITING in states)


def _guarded(look: Callable[[Candidate], Point], candidate: Candidate) -> Point:
    try:
        return look(candidate)
    except ConsiliumError as error:
        return Point("", State.WAITING, error.message, "Make the nodes answer, then ask again.")


_STEPS: Sequence[tuple[str, Callable[[Candidate], Point]]] = (
    ("applied", steps_of.applied),
    ("admitted", steps_of.admitted),
    ("permitted", steps_of.permitted),
    ("reached", steps_of.reached),
    ("in sync", steps_of.in_sync),
    ("activated", steps_of.activated),
    ("proposing", steps_of.proposing),
)
