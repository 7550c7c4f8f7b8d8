"""The state tables of architecture section 7, in full: what is not a step is refused, and terminal states are final."""

import itertools

import pytest

from training.domain.states import ATTEMPT, MODEL, PLAN, RUN, StateMachine
from training.errors import TransitionRefusedError

STEPS = {
    "plan": "draft>proposed proposed>approved proposed>rejected approved>retired",
    "run": (
        "planned>waiting_for_sites waiting_for_sites>running running>paused paused>running running>completed "
        "planned>canceled waiting_for_sites>canceled running>canceled paused>canceled "
        "planned>failed waiting_for_sites>failed running>failed paused>failed"
    ),
    "attempt": (
        "announced>open open>collecting collecting>revealed revealed>closed "
        "announced>abandoned open>abandoned collecting>abandoned revealed>abandoned"
    ),
    "model": "candidate>proposed proposed>released proposed>rejected released>recalled released>superseded",
}
TERMINAL = {
    "plan": ["rejected", "retired"],
    "run": ["canceled", "completed", "failed"],
    "attempt": ["abandoned", "closed"],
    "model": ["recalled", "rejected", "superseded"],
}
MACHINES = {machine.what: machine for machine in (PLAN, RUN, ATTEMPT, MODEL)}


@pytest.mark.parametrize("what", MACHINES)
def test_exactly_the_designed_steps_are_taken(what: str) -> None:
    machine = MACHINES[what]
    allowed = {tuple(step.split(">")) for step in STEPS[what].split()}

    for old, new in itertools.product(machine.steps, repeat=2):
        assert (old in machine.sources(new)) == ((old, new) in allowed)
        if (old, new) in allowed:
            machine.ensure(old, new)
        else:
            with pytest.raises(TransitionRefusedError) as refusal:
                machine.ensure(old, new)
            assert refusal.value.fields == {"old": old, "new": new}


@pytest.mark.parametrize("what", MACHINES)
def test_terminal_states_are_final(what: str) -> None:
    machine: StateMachine = MACHINES[what]

    assert machine.terminal == TERMINAL[what]
    assert sorted([*machine.live, *machine.terminal]) == sorted(machine.steps)
