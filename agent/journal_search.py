"""Looking through the journal: pages of it, what one run or ballot left in it, and whether its chain still holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.journal import Entry, Journal

PAGE = 50
_PIECE = 500
_NEWEST, _OLDEST = 2**62, 0


@dataclass(frozen=True, slots=True)
class Search:
    """What entries are looked for; an empty text asks for nothing. `about` is a digest or a value of the details."""

    kind: str = ""
    outcome: str = ""
    person: str = ""
    about: str = ""

    def condition(self) -> tuple[str, list[Any]]:
        """Return the SQL condition and its values."""
        parts, values = ["1"], []
        for column in ("kind", "outcome", "person"):
            if text := getattr(self, column):
                parts.append(f"{column} = ?")
                values.append(text)
        if self.about:
            # A value of the canonical JSON stands between quotation marks; nothing of it needs escaping.
            parts.append("(digest = ? OR instr(detail, '\"' || ? || '\"') > 0)")
            values += [self.about, self.about]
        return " AND ".join(parts), values


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page of entries, newest first; the numbers lead to the pages beside it, None where there is none."""

    entries: list[Entry]
    older: int | None
    newer: int | None


def page_of(journal: Journal, search: Search, *, before: int | None = None, after: int | None = None) -> Leaf:
    """Return the page before, or after, a position; the newest one without either."""
    condition, values = search.condition()
    bound = after if after is not None else before or _NEWEST
    where = f"position {'>' if after is not None else '<'} ? AND {condition}"
    found = journal.select(where, bound, *values, limit=PAGE, oldest_first=after is not None)
    entries = found[::-1] if after is not None else found
    if not entries:
        return Leaf([], None, None)
    first, last = entries[0].position, entries[-1].position
    has_newer = journal.select(f"position > ? AND {condition}", first, *values, limit=1)
    has_older = journal.select(f"position < ? AND {condition}", last, *values, limit=1)
    return Leaf(entries, last if has_older else None, first if has_newer else None)


def every(journal: Journal, search: Search) -> Iterator[Entry]:
    """Yield all entries that are looked for, oldest first, a piece at a time."""
    condition, values = search.condition()
    last = _OLDEST
    while found := journal.select(f"position > ? AND {condition}", last, *values, limit=_PIECE, oldest_first=True):
        yield from found
        last = found[-1].position


def kinds_in(journal: Journal) -> dict[str, list[str]]:
    """Return what one may choose from: the kinds, outcomes and persons that the journal has."""
    columns = ("kind", "outcome", "person")
    return {
        column: [str(row[0]) for row in journal.read(f"SELECT DISTINCT {column} FROM entries ORDER BY 1") if row[0]]  # noqa: S608  constants
        for column in columns
    }


def verify_apart(path: Path) -> int:
    """Recompute the chain of hashes by a connection of its own, so that nobody who writes has to wait.

    Raises
    ------
    JournalError
        Naming the first entry that is wrong.
    """
    journal = Journal(path)
    try:
        return journal.verify()
    finally:
        journal.close()
