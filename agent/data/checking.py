"""Holding a table to its description, row by row: what is wrong, by line and column, and what is there, counted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.data.description import Description
from agent.data.tables import Cell, open_table
from agent.data.values import Reader, column_reader, is_missing
from consortium.kernel.errors import InvalidInputError
from training.federated.errors import RowFormatError

PROBLEMS_SHOWN = 50


@dataclass
class Checked:
    """What a check found; exact, for the member's own eyes.

    `problems` holds the first `PROBLEMS_SHOWN` of `problem_count`; `missing` counts by column.
    """

    rows: int = 0
    subjects: int = 0
    without_target: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    problem_count: int = 0

    @property
    def is_sound(self) -> bool:
        return not self.problem_count

    def note(self, problem: str) -> None:
        self.problem_count += 1
        if self.problem_count <= PROBLEMS_SHOWN:
            self.problems.append(problem)

    def require_sound(self, description: Description) -> None:
        """Refuse a table with problems, showing the first of them."""
        if not self.is_sound:
            more = self.problem_count - len(self.problems)
            lines = [*self.problems, *([f"and {more} more"] if more else [])]
            raise InvalidInputError(
                f"{self.problem_count} values of {description.rows.name} do not keep to the description. Mend the "
                "table or the description, and look with: consilium-site data-set check FILE\n" + "\n".join(lines)
            )


def check_table(description: Description) -> Checked:
    """Read the whole table against the description.

    Raises
    ------
    InvalidInputError
        If it cannot be read at all; a row of another width ends the reading.
    """
    names = [column["name"] for column in description.columns]
    readers = [column_reader(column) for column in description.columns]
    found, subjects = Checked(), set[str]()
    with open_table(description.rows, [description.subject, *names]) as table:
        places = [table.header.index(name) for name in names]
        subject = table.header.index(description.subject)
        try:
            for place, cells in table.rows:
                found.rows += 1
                _check_subject(found, place, cells[subject], description, subjects)
                _check_row(found, place, [cells[i] for i in places], names, readers, description)
        except RowFormatError as error:
            found.note(error.message)
    found.subjects = len(subjects)
    return found


def subject_id(cell: Cell) -> str:
    """Return a subject's id as consents write it; numbers of Parquet without a fraction are whole."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)


def _check_subject(found: Checked, place: str, cell: Cell, description: Description, subjects: set[str]) -> None:
    identity = subject_id(cell)
    if not identity:
        found.note(f"{place}: {description.subject} names no subject")
    subjects.add(identity)


def _check_row(
    found: Checked,
    place: str,
    cells: Sequence[Cell],
    names: Sequence[str],
    readers: Sequence[Reader],
    description: Description,
) -> None:
    for name, cell, read in zip(names, cells, readers, strict=True):
        if is_missing(cell, description.missing_values):
            found.missing[name] += 1
            found.without_target += name == description.target
            continue
        try:
            read(cell)
        except ValueError as error:
            found.note(f"{place}, column {name}: {error}")
