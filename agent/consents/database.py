"""A private SQLite file of the site: 0600, durable, one transaction at a time across threads and programs."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.consents.errors import ConsentStoreError
from agent.consents.schema import prepare
from agent.folder import write_private


class Database:
    """One connection to one file; `transaction` holds the writer's lock of the file, whoever else has it open."""

    def __init__(self, path: Path, schema: str) -> None:
        if not path.exists():
            # SQLite gives its side files the mode of this one.
            write_private(path, b"")
        self.path = path
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            prepare(self._connection, schema)
        except sqlite3.DatabaseError as error:
            raise ConsentStoreError(f"{path.name} is not this program's, or is damaged. Restore it.") from error

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection itself, for what brings its own statements."""
        return self._connection

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

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a question."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        """Return the first row of a question, or None."""
        with self._lock:
            found: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
        return found

    def truncate_log(self) -> None:
        """Write everything into the file and empty the write-ahead log, so that no copy of deleted rows is left."""
        with self._lock:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; what was committed is safe without it."""
        with self._lock:
            self._connection.close()
