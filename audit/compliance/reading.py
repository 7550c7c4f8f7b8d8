"""A report laid out for a page: cells that say what they are, the numbers of its answers, and parts that can be linked.

Reads reports of every form that was ever kept: one without numbers is counted, one without days has none.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from audit.compliance.documents import Answer

_DIGEST = re.compile(r"(?:0x|sha256:)[0-9a-f]{16,}\Z|.+\+[0-9a-f]{8}\+\S+\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\Z")
_ENDS = 6, 4
_MARKS = ("Needs a person: ", "Not on record: ", "None on record: ")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and its kind, number, digest, time or text; `short` is what a narrow place shows of it."""

    value: str
    kind: str
    short: str
    column: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was asked and the answer, or the reason why there is none."""

    name: str
    title: str
    answer: str
    cell: Cell | None
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A table with its cells; without rows the reason."""

    name: str
    title: str
    answer: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    source: str
    reason: str

    @property
    def is_wide(self) -> bool:
        return len(self.columns) > _WIDE


_WIDE = 5


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report; `anchor` is its id on a page."""

    anchor: str
    title: str
    regulation: str
    introduction: str
    fields: tuple[Answered, ...]
    tables: tuple[Listed, ...]

    @property
    def open_count(self) -> int:
        """How many of its answers a person has to give."""
        return sum(field.answer == Answer.PERSON for field in self.fields)

    def only(self, answers: Collection[str]) -> "Section":
        """Return the section with what is answered so alone."""
        return replace(
            self,
            fields=tuple(field for field in self.fields if field.answer in answers),
            tables=tuple(table for table in self.tables if table.answer in answers),
        )


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many answers a report has, and from where."""

    asked: int
    from_records: int
    from_construction: int
    for_a_person: int
    not_on_record: int

    def bar(self) -> list[tuple[str, str, str]]:
        """Return the segments of a bar as kind, beginning and width in per cent; what is not on record stays bare."""
        kinds = (
            ("records", self.from_records),
            ("construction", self.from_construction),
            ("person", self.for_a_person),
        )
        segments, start = [], 0.0
        for kind, count in kinds:
            width = 100 * count / max(1, self.asked)
            segments.append((kind, f"{start:.2f}", f"{width:.2f}"))
            start += width
        return segments


def sections_of(report: Mapping[str, Any]) -> list[Section]:
    """Return the parts of a report for a page."""
    return [_section(part) for part in report["parts"]]


def numbers_in(sections: Sequence[Section]) -> Numbers:
    """Count the answers."""
    answers = [field.answer for section in sections for field in section.fields]
    answers += [table.answer for section in sections for table in section.tables]
    return Numbers(
        asked=len(answers),
        from_records=answers.count(Answer.RECORDS),
        from_construction=answers.count(Answer.CONSTRUCTION),
        for_a_person=answers.count(Answer.PERSON),
        not_on_record=answers.count(Answer.NOTHING),
    )


def cell(value: str | int, column: str = "") -> Cell:
    """Return a value with its kind."""
    text = str(value)
    if isinstance(value, int):
        return Cell(f"{value:,}", "number", f"{value:,}", column)
    if _TIME.match(text):
        return Cell(text, "time", _in_words(text), column)
    if _DIGEST.match(text):
        return Cell(text, "digest", _shortened(text), column)
    return Cell(text, "text", text, column)


def _section(part: Mapping[str, Any]) -> Section:
    return Section(
        anchor=part["name"].replace("_", "-"),
        title=part["title"],
        regulation=part["regulation"],
        introduction=part["introduction"],
        fields=tuple(_answered(field) for field in part["fields"]),
        tables=tuple(_listed(table) for table in part["tables"]),
    )


def _answered(field: Mapping[str, Any]) -> Answered:
    value = field["value"]
    return Answered(
        name=field["name"],
        title=field["title"],
        answer=field.get("answer") or _guessed(value is not None),
        cell=None if value is None else cell(value),
        source=field["source"] or "",
        reason=_behind_its_mark(field["reason"] or ""),
    )


def _behind_its_mark(reason: str) -> str:
    """The reason as it reads beside a mark that says the same first words."""
    for mark in _MARKS:
        if reason.startswith(mark):
            rest = reason.removeprefix(mark)
            return rest[:1].upper() + rest[1:]
    return reason


def _listed(table: Mapping[str, Any]) -> Listed:
    columns = tuple(table["columns"])
    return Listed(
        name=table["name"],
        title=table["title"],
        answer=table.get("answer") or _guessed(bool(table["rows"])),
        columns=columns,
        rows=tuple(tuple(_cells(row, columns)) for row in table["rows"]),
        source=table["source"] or "",
        reason=table["reason"] or "",
    )


def _cells(row: Iterable[str | int], columns: Sequence[str]) -> Iterable[Cell]:
    return (cell(value, column) for value, column in zip(row, columns, strict=True))


def _guessed(has_value: bool) -> str:
    return Answer.RECORDS if has_value else Answer.NOTHING


def _in_words(moment: str) -> str:
    """A time to the minute, in UTC: two readers anywhere see the same page."""
    read = datetime.fromisoformat(moment).astimezone(UTC)
    return f"{read.day} {read:%b %Y, %H:%M} UTC"


def _shortened(digest: str) -> str:
    prefix, separator, rest = digest.partition(":") if ":" in digest else ("", "", digest)
    first, last = _ENDS
    return f"{prefix}{separator}{rest[:first]}…{rest[-last:]}"
