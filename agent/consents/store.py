"""The authoritative consents of one member: grants, whose they are, and what was withdrawn."""

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from agent.consents.database import Database
from consent.domain.grants import Grant, GrantState
from consent.domain.provisions import Effect
from consent.fhir.mapping import grant_of
from consortium.kernel.canonical import canonical_json


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """A grant as it lies in the store; `grant.id` and `pseudonym` are keyed pseudonyms."""

    pseudonym: str
    grant: Grant

    @property
    def permits(self) -> bool:
        """Whether it is active and permits anything at all."""
        return self.grant.state is GrantState.ACTIVE and self._says(Effect.PERMIT)

    @property
    def denies(self) -> bool:
        """Whether it is active and denies anything at all."""
        return self.grant.state is GrantState.ACTIVE and self._says(Effect.DENY)

    def _says(self, effect: Effect) -> bool:
        provision = self.grant.provision
        return provision is not None and any(inner.effect is effect for _depth, inner in provision.walk())


class ConsentStore:
    """Reads and writes grants; every write raises the generation, so that an epoch knows what it was built from."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @property
    def generation(self) -> int:
        """A number that grows with every change of what subjects permit."""
        row = self.database.row("SELECT value FROM facts WHERE name = 'generation'")
        return 0 if row is None else int(row[0])

    def raise_generation(self) -> None:
        """Note a change; call within its transaction."""
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT INTO facts VALUES ('generation', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1"
            )

    def consortia(self) -> list[uuid.UUID]:
        """Return the consortia that consents were imported for."""
        return [uuid.UUID(identity) for (identity,) in self.database.rows("SELECT id FROM consortia ORDER BY id")]

    def join(self, consortium: uuid.UUID) -> None:
        """Know a consortium from now on; withdrawals take effect in every known one."""
        with self.database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO consortia (id) VALUES (?)", (str(consortium),))

    def holds_consent(self, consent: str) -> bool:
        """Say whether a consent of this id was recorded."""
        return self.database.row("SELECT 1 FROM grants WHERE consent = ?", consent) is not None

    def add(self, *, record: str, pseudonym: str, resource: dict[str, Any], grant: Grant, at: int) -> None:
        """Record a consent that is new; `sqlite3.IntegrityError` if it is not."""
        text = canonical_json(resource).decode()
        with self.database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO subjects VALUES (?, ?)", (pseudonym, record))
            connection.execute(
                "INSERT INTO grants VALUES (?, ?, ?, ?, ?, NULL)", (grant.id, pseudonym, grant.state.value, text, at)
            )

    def grants_by_subject(self) -> Iterator[tuple[str, list[Grant]]]:
        """Yield every subject's grants, in the order of the pseudonyms."""
        rows = self.database.rows("SELECT pseudonym, state, resource FROM grants ORDER BY pseudonym, consent")
        for pseudonym, group in groupby(rows, key=lambda row: str(row[0])):
            yield pseudonym, [_grant(state, resource) for _, state, resource in group]

    def grants_of(self, pseudonym: str) -> list[StoredGrant]:
        """Return a subject's grants."""
        rows = self.database.rows("SELECT state, resource FROM grants WHERE pseudonym = ? ORDER BY consent", pseudonym)
        return [StoredGrant(pseudonym, _grant(state, resource)) for state, resource in rows]

    def withdraw(self, consents: Sequence[str], withdrawal: uuid.UUID) -> None:
        """Mark active grants as withdrawn; call within the withdrawal's transaction."""
        with self.database.transaction() as connection:
            connection.executemany(
                "UPDATE grants SET state = 'withdrawn', withdrawal = ? WHERE consent = ? AND state = 'active'",
                [(str(withdrawal), consent) for consent in consents],
            )
            self.raise_generation()

    def record_of(self, pseudonym: str) -> str | None:
        """Return the record's id that a pseudonym stands for; it never leaves the site."""
        row = self.database.row("SELECT record FROM subjects WHERE pseudonym = ?", pseudonym)
        return None if row is None else str(row[0])

    def numbers(self) -> dict[str, int]:
        """Return how many grants there are by state, and how many subjects: exact, for the member's own eyes."""
        by_state = self.database.rows("SELECT state, count(*) FROM grants GROUP BY state ORDER BY state")
        subjects = self.database.rows("SELECT count(*) FROM subjects")
        return {str(state): int(count) for state, count in by_state} | {"subjects": int(subjects[0][0])}


def _grant(state: str, resource: str) -> Grant:
    return replace(grant_of(json.loads(resource)), state=GrantState(state))
