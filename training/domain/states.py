"""States of plans, runs, attempts and models, and which step leads from one to another. Terminal states are final."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from training.errors import TransitionRefusedError


class PlanState(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    RETIRED = "retired"


class RunState(StrEnum):
    PLANNED = "planned"
    WAITING_FOR_SITES = "waiting_for_sites"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELED = "canceled"
    FAILED = "failed"


class AttemptState(StrEnum):
    ANNOUNCED = "announced"
    OPEN = "open"
    COLLECTING = "collecting"
    REVEALED = "revealed"
    CLOSED = "closed"
    ABANDONED = "abandoned"


class ModelState(StrEnum):
    CANDIDATE = "candidate"
    PROPOSED = "proposed"
    RELEASED = "released"
    REJECTED = "rejected"
    RECALLED = "recalled"
    SUPERSEDED = "superseded"


class ForeignState(StrEnum):
    """What another consortium's chain says of a model of its own, in the order in which it moves."""

    REGISTERED = "registered"
    RELEASED = "released"
    RECALLED = "recalled"


@dataclass(frozen=True, slots=True)
class StateMachine:
    """Which states follow which; a state without followers is terminal."""

    what: str
    steps: Mapping[str, frozenset[str]]

    def ensure(self, old: str, new: str) -> None:
        """Refuse a step that is not in the table.

        Raises
        ------
        TransitionRefusedError
        """
        if new not in self.steps[old]:
            raise TransitionRefusedError(f"A {self.what} that is {old} cannot become {new}.", old=old, new=new)

    def sources(self, new: str) -> list[str]:
        """Return the states from which `new` may be reached: the guard of an update."""
        return sorted(old for old, followers in self.steps.items() if new in followers)

    def is_terminal(self, state: str) -> bool:
        return not self.steps[state]

    @property
    def terminal(self) -> list[str]:
        return sorted(state for state in self.steps if self.is_terminal(state))

    @property
    def live(self) -> list[str]:
        return sorted(state for state in self.steps if not self.is_terminal(state))


def _machine(what: str, states: type[StrEnum], steps: Mapping[str, tuple[str, ...]]) -> StateMachine:
    table = {str(state): frozenset(map(str, steps.get(state, ()))) for state in states}
    return StateMachine(what, MappingProxyType(table))


_ENDS: Final = (RunState.CANCELED, RunState.FAILED)

PLAN: Final = _machine(
    "plan",
    PlanState,
    {
        PlanState.DRAFT: (PlanState.PROPOSED,),
        PlanState.PROPOSED: (PlanState.APPROVED, PlanState.REJECTED),
        PlanState.APPROVED: (PlanState.RETIRED,),
    },
)
RUN: Final = _machine(
    "run",
    RunState,
    {
        RunState.PLANNED: (RunState.WAITING_FOR_SITES, *_ENDS),
        RunState.WAITING_FOR_SITES: (RunState.RUNNING, *_ENDS),
        RunState.RUNNING: (RunState.PAUSED, RunState.COMPLETED, *_ENDS),
        RunState.PAUSED: (RunState.RUNNING, *_ENDS),
    },
)
ATTEMPT: Final = _machine(
    "attempt",
    AttemptState,
    {
        AttemptState.ANNOUNCED: (AttemptState.OPEN, AttemptState.ABANDONED),
        AttemptState.OPEN: (AttemptState.COLLECTING, AttemptState.ABANDONED),
        AttemptState.COLLECTING: (AttemptState.REVEALED, AttemptState.ABANDONED),
        AttemptState.REVEALED: (AttemptState.CLOSED, AttemptState.ABANDONED),
    },
)
MODEL: Final = _machine(
    "model",
    ModelState,
    {
        ModelState.CANDIDATE: (ModelState.PROPOSED,),
        ModelState.PROPOSED: (ModelState.RELEASED, ModelState.REJECTED),
        ModelState.RELEASED: (ModelState.RECALLED, ModelState.SUPERSEDED),
    },
)
