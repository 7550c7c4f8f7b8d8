"""The parts of a report: fields and tables, each with its source, or empty with the reason.

Values are texts and whole numbers, so that a report has one canonical form.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FORMAT = "consilium-report/1"
NEEDS_A_PERSON = "Needs a person: no record can say this."
Value = str | int


@dataclass(frozen=True, slots=True)
class Field:
    """One named statement; without a value it says why."""

    name: str
    title: str
    value: Value | None
    source: str
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
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

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
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


def absent(name: str, title: str, reason: str) -> Field:
    """Name what was asked and is not stated, with the reason."""
    return Field(name, title, None, "", reason)


def person_states(name: str, title: str) -> Field:
    """Name what only a person can state."""
    return absent(name, title, NEEDS_A_PERSON)


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
