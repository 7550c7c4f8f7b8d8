"""One thing that was looked at on a network, for people and for monitoring."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How it is.

    `waiting` is not so yet, `unknown` could not be seen from here, `not_applicable` is not there to be seen.
    """

    WELL = "well"
    WAITING = "waiting"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True)
class Point:
    """What was found; `remedy` says what to do where it is wrong, or how to see what could not be seen."""

    name: str
    state: State
    text: str
    remedy: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)


_WORDS = {
    State.WELL: "well",
    State.WAITING: "wait",
    State.WRONG: "WRONG",
    State.UNKNOWN: "?",
    State.NOT_APPLICABLE: "-",
}


def lines_of(point: Point) -> list[str]:
    """A point as `chain status` prints it: one line, and one for what to do."""
    lines = [f"{_WORDS[point.state]:<5}  {point.name}: {point.text}"]
    is_open = point.remedy and point.state in (State.WAITING, State.WRONG, State.UNKNOWN)
    return [*lines, f"       {point.remedy}"] if is_open else lines
