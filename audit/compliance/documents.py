"""The parts of a report: fields and tables, each with its source, or empty with the reason.

Values are texts and whole numbers, so that a report has one canonical form.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FORMAT = "consilium-report/2"
NEEDS_A_PERSON = "Needs a person: no record can say this."
_BUILT = "construction of "
Value = str | int


class Answer(StrEnum):
    """What answers what was asked: records, how the system is built, a person, or nothing yet."""

    RECORDS = "records"
    CONSTRUCTION = "construction"
    PERSON = "person"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Field:
    """One named statement; without a value it says why."""

    name: str
    title: str
    value: Value | None
    source: str
    reason: str = ""
    is_for_a_person: bool = False

    @property
    def answer(self) -> Answer:
        if self.value is not None:
            return Answer.CONSTRUCTION if self.source.startswith(_BUILT) else Answer.RECORDS
        return Answer.PERSON if self.is_for_a_person else Answer.NOTHING

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "answer": str(self.answer),
            "value": self.value,
            "source": self.source or None,
            "reason": self.reason or None,
        }


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts and numbers under named columns; without rows it says why."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    source: str
    reason: str = ""

    @property
    def answer(self) -> Answer:
        return Answer.RECORDS if self.rows else Answer.NOTHING

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "answer": str(self.answer),
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "source": self.source or None,
            "reason": self.reason or None,
        }


@dataclass(frozen=True, slots=True)
class Part:
    """What one regulation asks: its name and version, and the answers."""

    name: str
    title: str
    regulation: str
    introduction: str
    fields: tuple[Field, ...]
    tables: tuple[Table, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "regulation": self.regulation,
            "introduction": self.introduction,
            "fields": [field.as_json() for field in self.fields],
            "tables": [table.as_json() for table in self.tables],
        }


def found(name: str, title: str, value: Value | None, source: str, *, otherwise: str) -> Field:
    """State a value and where it was found; None becomes an empty field with the reason `otherwise`."""
    return Field(name, title, value, source) if value is not None else Field(name, title, None, "", otherwise)


def built(name: str, title: str, value: str, what: str) -> Field:
    """State how the system is built, which no record says: `what` names the part that is built so."""
    return Field(name, title, value, f"{_BUILT}{what}")


def absent(name: str, title: str, reason: str) -> Field:
    """Name what was asked and is not stated, with the reason."""
    return Field(name, title, None, "", reason)


def person_states(name: str, title: str, reason: str = NEEDS_A_PERSON) -> Field:
    """Name what only a person can state; `reason` says more than that where it helps that person."""
    return Field(name, title, None, "", reason, is_for_a_person=True)


def numbers_of(parts: Sequence[Part]) -> dict[str, int]:
    """Return how many answers there are, a table as one, and who gave them or has to."""
    answers = [field.answer for part in parts for field in part.fields]
    answers += [table.answer for part in parts for table in part.tables]
    return {
        "asked": len(answers),
        "from_records": answers.count(Answer.RECORDS),
        "from_construction": answers.count(Answer.CONSTRUCTION),
        "for_a_person": answers.count(Answer.PERSON),
        "not_on_record": answers.count(Answer.NOTHING),
    }


def tabled(
    name: str,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Value]],
    source: str,
    *,
    otherwise: str,
    most: int | None = None,
) -> Table:
    """Make a table; empty it has the reason `otherwise`, and of more than `most` rows the last ones, which it says."""
    shown = rows if most is None or len(rows) <= most else rows[-most:]
    note = f"The last {len(shown)} of {len(rows)}; all are in records.jsonl." if len(shown) < len(rows) else ""
    filled = tuple(tuple(row) for row in shown)
    return Table(name, title, tuple(columns), filled, source if filled else "", note if filled else otherwise)
