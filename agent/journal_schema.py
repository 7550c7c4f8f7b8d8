"""The journal's tables, and the rules that SQLite itself holds."""

import sqlite3

# Entries are only ever added: an UPDATE or DELETE is an error of SQLite, whoever asks.
VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    position INTEGER PRIMARY KEY,
    time TEXT NOT NULL,
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    digest TEXT NOT NULL,
    person TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL UNIQUE
) STRICT;
CREATE INDEX IF NOT EXISTS entries_by_kind ON entries (kind, position);
CREATE TRIGGER IF NOT EXISTS entries_are_never_changed BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'an entry of the journal is never changed'); END;
CREATE TRIGGER IF NOT EXISTS entries_are_never_deleted BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'an entry of the journal is never deleted'); END;
CREATE TABLE IF NOT EXISTS decisions (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    position INTEGER NOT NULL REFERENCES entries (position)
) STRICT;
CREATE TRIGGER IF NOT EXISTS decisions_are_final BEFORE UPDATE ON decisions
    BEGIN SELECT RAISE(ABORT, 'a decision is given once'); END;
CREATE TRIGGER IF NOT EXISTS decisions_stay BEFORE DELETE ON decisions
    BEGIN SELECT RAISE(ABORT, 'a decision is given once'); END;
CREATE TABLE IF NOT EXISTS letters (
    digest TEXT PRIMARY KEY,
    decision TEXT NOT NULL,
    scope TEXT NOT NULL,
    nonce INTEGER NOT NULL,
    method_path TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('signed', 'sent', 'refused')),
    kept_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS letters_by_decision ON letters (decision);
CREATE INDEX IF NOT EXISTS letters_by_scope ON letters (scope, nonce);
CREATE TABLE IF NOT EXISTS pins (
    consortium TEXT NOT NULL,
    contract TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (consortium, contract)
) STRICT;
CREATE TABLE IF NOT EXISTS fences (run TEXT PRIMARY KEY, fence INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS scans (name TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;
"""


def prepare(connection: sqlite3.Connection) -> None:
    """Set the pragmas under which a commit survives a kill and a power cut, and make the tables."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA busy_timeout=10000")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        connection.executescript(f"{SCHEMA} PRAGMA user_version = {VERSION};")
