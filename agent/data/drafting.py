"""A first data-set file from a table: what can be seen in it, and which decisions are a person's.

Bounds are rounded outwards and marked: what a column means decides them, and the extremes of a table are somebody's.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.data.tables import Cell, open_table
from agent.data.values import number
from training.federated.errors import RowFormatError

DECIDE: Final = "# Decide: "
MISSING_GUESSES: Final = frozenset({"", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?", ".", "-"})
SUBJECT_GUESSES: Final = ("record", "record_id", "patient", "patient_id", "subject", "subject_id", "id")
MOST_CATEGORIES: Final = 50
_FEW: Final = 10
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}\Z")


@dataclass
class _Seen:
    """What was seen of one column; values are kept up to a number that still are categories."""

    name: str
    distinct: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    is_numeric: bool = True
    low: float = math.inf
    high: float = -math.inf

    def take(self, cell: Cell) -> None:
        text = "" if cell is None or cell != cell else str(cell)
        if text in MISSING_GUESSES:
            self.tokens.add(text)
            return
        if len(self.distinct) <= MOST_CATEGORIES:
            self.distinct.add(text)
        try:
            value = float(cell) if isinstance(cell, bool) else number(cell)
        except ValueError:
            self.is_numeric = False
        else:
            self.low, self.high = min(self.low, value), max(self.high, value)

    @property
    def is_bit(self) -> bool:
        return self.distinct <= {"0", "1"} or self.distinct <= {"True", "False"}


def draft_description(table: Path, *, subject: str = "", target: str = "") -> str:
    """Return a data-set file in TOML, with a comment wherever a person has to decide.

    Raises
    ------
    RowFormatError
        If the table cannot be read, has one column only, or lacks the subject's or the target's.
    """
    seen = _look(table, [name for name in (subject, target) if name])
    subject = subject or next((name for name in SUBJECT_GUESSES if any(one.name == name for one in seen)), "")
    tokens = sorted({token for one in seen for token in one.tokens} | {""})
    lines = [
        *_head(table, subject, target),
        f"missing_values = {json.dumps(tokens)}",
        *(line for one in seen if one.name != subject for line in _column(one, is_target=one.name == target)),
    ]
    return "\n".join(lines) + "\n"


def _look(path: Path, wanted: Sequence[str]) -> list[_Seen]:
    with open_table(path) as table:
        if len(table.header) < 2:
            raise RowFormatError("The table has one column only. A CSV has commas between its columns, and a header.")
        if missing := [name for name in wanted if name not in table.header]:
            raise RowFormatError(f"The table has no column {', '.join(missing)}. It has: {', '.join(table.header)}.")
        seen = [_Seen(name) for name in table.header]
        for _place, cells in table.rows:
            for one, cell in zip(seen, cells, strict=True):
                one.take(cell)
    return seen


def _head(table: Path, subject: str, target: str) -> Iterator[str]:
    yield f"# Drafted from {table.name}. Lines with 'Decide' need a person; correct the others where they are wrong."
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", table.stem)
    yield DECIDE + "the name under which plans ask for these columns; the same at every organization."
    yield f"name = {json.dumps(name if _NAME.match(name) else 'data-' + name)}"
    yield f"rows = {json.dumps(table.name, ensure_ascii=False)}"
    yield DECIDE + "what the data may be used for, as DUO terms (0000006: health or medical or biomedical research)."
    yield 'purposes = ["DUO:0000006"]'
    yield "conditions = []"
    yield DECIDE + "the column with the id under which consents know a row's subject."
    yield f"subject = {json.dumps(subject or 'record', ensure_ascii=False)}"
    if target:
        yield f"target = {json.dumps(target)}"
    else:
        yield DECIDE + "the column that is to be predicted, if there is one here."
        yield '# target = ""'
    yield DECIDE + "which texts of the table mean that a value is missing."


def _column(one: _Seen, *, is_target: bool) -> Iterator[str]:
    yield ""
    shown = json.dumps(one.name, ensure_ascii=False)
    if (reason := _left_out(one)) is not None:
        yield f"# Column {shown} is left out: {reason}."
        return
    yield "[[columns]]"
    yield f"name = {shown}"
    # What is missing of a target is left out of training, whatever a rule would say.
    has_gaps = bool(one.tokens) and not is_target
    if one.is_bit and not has_gaps:
        yield 'kind = "binary"'
    elif one.is_numeric and not one.is_bit:
        yield from _numeric(one, has_gaps=has_gaps)
    else:
        yield from _categorical(one, has_gaps=has_gaps)


def _left_out(one: _Seen) -> str | None:
    if not _NAME.match(one.name):
        return "a name is a letter and then letters, digits, dots, dashes or underscores; rename it to use it"
    if len(one.distinct) < 2:
        return "it has one value only, or none"
    if not one.is_numeric and len(one.distinct) > MOST_CATEGORIES:
        return f"it has more than {MOST_CATEGORIES} different texts, so it names or describes somebody"
    return None


def _numeric(one: _Seen, *, has_gaps: bool) -> Iterator[str]:
    if len(one.distinct) <= _FEW:
        yield (DECIDE + f'a number, or {len(one.distinct)} codes? Then kind = "categorical", categories = [...].')
    yield 'kind = "numeric"'
    yield DECIDE + "bounds from what the column means, not from the table; everybody sees them."
    yield f"minimum = {_outwards(one.low, math.floor):g}"
    yield f"maximum = {_outwards(one.high, math.ceil):g}"
    yield DECIDE + 'its unit, for instance unit = "d".'
    if has_gaps:
        yield DECIDE + 'missing values: "mean" over all sites, {value = ...}, or "refuse".'
        yield 'missing = "mean"'


def _categorical(one: _Seen, *, has_gaps: bool) -> Iterator[str]:
    yield 'kind = "categorical"'
    yield DECIDE + "the list for all organizations together; the first is what the others are compared with."
    yield f"categories = {json.dumps(sorted(one.distinct), ensure_ascii=False)}"
    if has_gaps:
        yield DECIDE + 'missing values: "category" (one of its own), {value = ...}, or "refuse".'
        yield 'missing = "category"'


def _outwards(value: float, rounded: Callable[[float], int]) -> float:
    """Round to one digit, away from the table: its extremes belong to somebody."""
    if value == 0:
        return 0.0
    step = 10.0 ** math.floor(math.log10(abs(value)))
    return rounded(value / step) * step
