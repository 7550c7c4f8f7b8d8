"""The member's own record: each decision and signature stands here before it leaves the house.

SQLite in WAL mode with synchronous=FULL; every write is one transaction that holds the writer's lock, so the
running agent and the command line may share the file. Entries form a hash chain: a change, a gap or a cut in
the middle shows.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.clock import Clock, now, timestamp
from agent.errors import AlreadyDecidedError, JournalError
from agent.folder import write_private
from agent.journal_schema import prepare
from consortium.kernel.canonical import canonical_json
from consortium.kernel.digests import digest_of

START = "sha256:" + "0" * 64
_COLUMNS = "position, time, kind, outcome, digest, person, detail, previous, hash"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal; `hash` covers all the rest, `previous` the whole journal before it."""

    position: int
    time: str
    kind: str
    outcome: str
    digest: str
    person: str
    detail: Mapping[str, Any]
    previous: str
    hash: str


class Journal:
    """One connection, used by one thread at a time."""

    def __init__(self, path: Path, *, clock: Clock = now) -> None:
        if not path.exists():
            # SQLite gives its side files the mode of this one.
            write_private(path, b"")
        self._clock = clock
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            prepare(self._connection)
        except sqlite3.DatabaseError as error:
            raise JournalError(
                f"{path} is not this program's journal, or is damaged. Restore it from a copy."
            ) from error

    def close(self) -> None:
        """Close the file; entries written are safe without it."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the writer's lock for a block: all of it is kept, or nothing. Blocks nest into the outermost."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def record(self, kind: str, outcome: str, *, digest: str = "", person: str = "", **detail: Any) -> Entry:
        """Add an entry. Details are identifiers and numbers, never records, subjects or secrets."""
        with self.transaction() as connection:
            last = connection.execute("SELECT position, hash FROM entries ORDER BY position DESC LIMIT 1").fetchone()
            position, previous = (last[0] + 1, last[1]) if last else (1, START)
            body = _body(position, timestamp(self._clock()), kind, outcome, digest, person, detail, previous)
            entry = Entry(**body, hash=digest_of(body))
            row = (*(body[name] for name in ("position", "time", "kind", "outcome", "digest", "person")),)
            written = (*row, canonical_json(detail).decode(), previous, entry.hash)
            connection.execute(f"INSERT INTO entries ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)", written)  # noqa: S608  a constant
        return entry

    def decide(self, key: str, value: str, *, kind: str, digest: str = "", person: str = "", **detail: Any) -> bool:
        """Give a decision once: True if it is new, False if it was given so before.

        Raises
        ------
        AlreadyDecidedError
            If it was given otherwise; the attempt is in the journal, nothing else changed.
        """
        with self.transaction() as connection:
            known = connection.execute("SELECT value FROM decisions WHERE key = ?", (key,)).fetchone()
            if known is None:
                entry = self.record(kind, "decided", digest=digest, person=person, key=key, value=value, **detail)
                connection.execute("INSERT INTO decisions VALUES (?, ?, ?)", (key, value, entry.position))
                return True
            if known[0] == value:
                return False
            self.record(kind, "refused", digest=digest, person=person, key=key, value=value, reason="already_decided")
        raise AlreadyDecidedError(f"This member decided {known[0]} before, and a decision is given once.", key=key)

    def decision(self, key: str) -> str | None:
        """Return what was decided under the key, if anything was."""
        row = self._one("SELECT value FROM decisions WHERE key = ?", key)
        return None if row is None else str(row[0])

    def entries(self, *, limit: int = 100, before: int | None = None, kinds: tuple[str, ...] = ()) -> list[Entry]:
        """Return entries, newest first."""
        where = "position < ?" + (f" AND kind IN ({','.join('?' * len(kinds))})" if kinds else "")
        statement = f"SELECT {_COLUMNS} FROM entries WHERE {where} ORDER BY position DESC LIMIT ?"  # noqa: S608  placeholders
        with self._lock:
            rows = self._connection.execute(statement, (before or 2**62, *kinds, limit)).fetchall()
        return [_entry(row) for row in rows]

    def select(self, where: str, *values: Any, limit: int, oldest_first: bool = False) -> list[Entry]:
        """Return the entries that a condition holds for; the condition is the caller's constant text."""
        order = "ASC" if oldest_first else "DESC"
        statement = f"SELECT {_COLUMNS} FROM entries WHERE {where} ORDER BY position {order} LIMIT ?"  # noqa: S608  callers' constants
        return [_entry(row) for row in self.read(statement, *values, limit)]

    def verify(self) -> int:
        """Recompute the chain of hashes and return how many entries it has; `JournalError` names the first wrong."""
        expected, count = START, 0
        with self._lock:
            for row in self._connection.execute(f"SELECT {_COLUMNS} FROM entries ORDER BY position"):  # noqa: S608  a constant
                entry = _entry(row)
                count += 1
                body = {name: getattr(entry, name) for name in Entry.__dataclass_fields__ if name != "hash"}
                if entry.position != count or entry.previous != expected or digest_of(body) != entry.hash:
                    raise JournalError(
                        f"Entry {entry.position} of the journal was changed, or one before it is missing."
                    )
                expected = entry.hash
        return count

    def _one(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        with self._lock:
            row: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
        return row

    def read(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a question; for the modules that keep a table of their own in this file."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()


def _body(
    position: int, time: str, kind: str, outcome: str, digest: str, person: str, detail: Any, previous: str
) -> dict[str, Any]:
    return {
        **{"position": position, "time": time, "kind": kind, "outcome": outcome},
        **{"digest": digest, "person": person, "detail": detail, "previous": previous},
    }


def _entry(row: tuple[Any, ...]) -> Entry:
    position, time, kind, outcome, digest, person, detail, previous, found = row
    try:
        read = json.loads(detail)
    except ValueError as error:
        raise JournalError(f"Entry {position} of the journal was changed.") from error
    return Entry(position, time, kind, outcome, digest, person, read, previous, found)
