"""What is wrong with a consent resource, and where in it."""

from dataclasses import dataclass
from typing import NamedTuple

from consortium.kernel.errors import InvalidInputError


class ElementProblem(NamedTuple):
    """An element's path, such as `Consent.provision.provision[0].type`, and what is wrong with it.

    The reason repeats no value but short codes, so that a report holds nothing of the person.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class LineError:
    """A line that was not read, and why; lines count from 1."""

    line: int
    problems: tuple[ElementProblem, ...]

    def __str__(self) -> str:
        return "; ".join(f"line {self.line}: {path}: {reason}" for path, reason in self.problems)


class ConsentElementError(InvalidInputError):
    """One element of a consent resource cannot be understood; correct it at its source."""

    code = "invalid_consent"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}", path=path, reason=reason)
        self.problem = ElementProblem(path, reason)
