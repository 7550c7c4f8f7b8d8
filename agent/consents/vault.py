"""The salts: two for each subject and consortium, in a file of their own that backups of the site leave out.

Without them nobody can open, or guess, what a subject's commitments on a chain stand for. A rolling copy of at most
30 days bounds how long an erased subject's salts can survive; whoever restores one replays the erasure list.
"""

import sqlite3
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from agent.consents.database import Database
from agent.consents.schema import SALTS
from agent.folder import write_private
from consortium.kernel.consent_leaf import new_salt

COPY_DAYS = 30
_PIECE = 500


@dataclass(frozen=True, slots=True, repr=False)
class Salts:
    """One subject's salts, 32 random bytes each: for S and for C. They show in no text."""

    subject: bytes
    consent: bytes


class SaltVault:
    """The file of the salts."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path, SALTS)

    def salts_of(self, consortium: uuid.UUID, pseudonyms: Collection[str]) -> dict[str, Salts]:
        """Return the salts of these subjects; who has none gets fresh ones, durable before they are returned."""
        wanted = sorted(set(pseudonyms))
        found = self.known(consortium, wanted)
        fresh = {pseudonym: Salts(new_salt(), new_salt()) for pseudonym in wanted if pseudonym not in found}
        if not fresh:
            return found
        with self.database.transaction() as connection:
            # Another program may have made some meanwhile; theirs stand.
            connection.executemany(
                "INSERT OR IGNORE INTO salts VALUES (?, ?, ?, ?)",
                [(str(consortium), name, salts.subject, salts.consent) for name, salts in fresh.items()],
            )
        return self.known(consortium, wanted)

    def known(self, consortium: uuid.UUID, pseudonyms: Collection[str]) -> dict[str, Salts]:
        """Return the salts that are there."""
        wanted = sorted(set(pseudonyms))
        found: dict[str, Salts] = {}
        for start in range(0, len(wanted), _PIECE):
            piece = wanted[start : start + _PIECE]
            marks = ",".join("?" * len(piece))
            rows = self.database.rows(
                f"SELECT pseudonym, subject, consent FROM salts WHERE consortium = ? AND pseudonym IN ({marks})",  # noqa: S608  placeholders
                *(str(consortium), *piece),
            )
            found |= {name: Salts(subject, consent) for name, subject, consent in rows}
        return found

    def forget(self, pseudonym: str) -> int:
        """Delete a subject's salts in every consortium, overwriting them; return how many pairs there were."""
        with self.database.transaction() as connection:
            deleted = connection.execute("DELETE FROM salts WHERE pseudonym = ?", (pseudonym,)).rowcount
        self.database.truncate_log()
        return deleted

    def roll_copy(self, folder: Path, today: date) -> Path:
        """Copy the salts for today into the folder and delete copies older than 30 days; return the copy."""
        folder.mkdir(mode=0o700, exist_ok=True)
        oldest = (today - timedelta(days=COPY_DAYS)).isoformat()
        for copy in folder.glob("salts-*.sqlite"):
            if copy.stem.removeprefix("salts-") < oldest:
                copy.unlink()
        path = folder / f"salts-{today.isoformat()}.sqlite"
        write_private(path, b"")
        target = sqlite3.connect(path)
        try:
            self.database.connection.backup(target)
        finally:
            target.close()
        return path
