"""The tables of the consent store, of the salts and of the erasure list."""

import sqlite3

STORE = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS consortia (id TEXT PRIMARY KEY, batches INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS subjects (pseudonym TEXT PRIMARY KEY, record TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS grants (
    consent TEXT PRIMARY KEY,
    pseudonym TEXT NOT NULL REFERENCES subjects (pseudonym),
    state TEXT NOT NULL,
    resource TEXT NOT NULL,
    imported_at INTEGER NOT NULL,
    withdrawal TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS grants_by_subject ON grants (pseudonym);
CREATE TABLE IF NOT EXISTS grant_consortia (
    consent TEXT NOT NULL REFERENCES grants (consent) ON DELETE CASCADE,
    consortium TEXT NOT NULL,
    PRIMARY KEY (consent, consortium)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS withdrawals (
    id TEXT PRIMARY KEY,
    pseudonym TEXT,
    received_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS effects (
    withdrawal TEXT NOT NULL REFERENCES withdrawals (id),
    consortium TEXT NOT NULL,
    subject BLOB,
    is_urgent INTEGER NOT NULL,
    anchor TEXT,
    PRIMARY KEY (withdrawal, consortium)
) STRICT;
CREATE INDEX IF NOT EXISTS effects_by_anchor ON effects (consortium, anchor);
CREATE TABLE IF NOT EXISTS anchors (
    digest TEXT PRIMARY KEY,
    consortium TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('epoch', 'revocation')),
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    as_of INTEGER NOT NULL,
    root BLOB NOT NULL,
    band INTEGER NOT NULL,
    revoked TEXT NOT NULL,
    signed_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('signed', 'landed', 'lost'))
) STRICT;
CREATE INDEX IF NOT EXISTS anchors_by_seq ON anchors (consortium, seq);
CREATE UNIQUE INDEX IF NOT EXISTS one_anchor_on_its_way ON anchors (consortium) WHERE state = 'signed';
CREATE TABLE IF NOT EXISTS landings (
    anchor TEXT PRIMARY KEY REFERENCES anchors (digest),
    block INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS provisions (digest TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS leaves (
    anchor TEXT NOT NULL REFERENCES anchors (digest),
    subject BLOB NOT NULL,
    consent BLOB NOT NULL,
    pseudonym TEXT,
    provisions TEXT,
    PRIMARY KEY (anchor, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS leaves_by_pseudonym ON leaves (pseudonym);
CREATE TABLE IF NOT EXISTS wishes (consortium TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS holds (
    consortium TEXT NOT NULL,
    attempt TEXT NOT NULL,
    until_block INTEGER NOT NULL,
    PRIMARY KEY (consortium, attempt)
) STRICT;
CREATE TABLE IF NOT EXISTS cohorts (
    run TEXT NOT NULL,
    round INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    subject BLOB NOT NULL,
    PRIMARY KEY (subject, run, round, attempt)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outgoing (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'refused')),
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS outgoing_waiting ON outgoing (position) WHERE state = 'waiting';
"""

SALTS = """
CREATE TABLE IF NOT EXISTS salts (
    consortium TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    consent BLOB NOT NULL CHECK (length(consent) = 32),
    PRIMARY KEY (consortium, pseudonym)
) STRICT, WITHOUT ROWID;
"""

ERASURES = """
CREATE TABLE IF NOT EXISTS erasures (
    pseudonym TEXT PRIMARY KEY,
    erased_at INTEGER NOT NULL,
    runs TEXT NOT NULL,
    models TEXT NOT NULL
) STRICT;
"""


def prepare(connection: sqlite3.Connection, schema: str) -> None:
    """Set the pragmas under which a commit survives a power cut and a deleted row is overwritten; make the tables."""
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")
    connection.executescript(schema)
