"""The authoritative consents of one member: grants, whose they are, and what was withdrawn."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        self._adopt()

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

    def recorded_for(self, consent: str) -> frozenset[uuid.UUID] | None:
        """Return the consortia that a consent of this id counts in, None if there is none."""
        if self.database.row("SELECT 1 FROM grants WHERE consent = ?", consent) is None:
            return None
        rows = self.database.rows("SELECT consortium FROM grant_consortia WHERE consent = ?", consent)
        return frozenset(uuid.UUID(name) for (name,) in rows)

    def holds_as(self, grant: Grant, resource: Mapping[str, Any]) -> bool:
        """Say whether a recorded consent has this very content, and its state still."""
        row = self.database.row("SELECT state, resource FROM grants WHERE consent = ?", grant.id)
        return row == (grant.state.value, canonical_json(dict(resource)).decode())

    def add_to(self, consent: str, consortia: Iterable[uuid.UUID]) -> None:
        """Let a recorded consent count in these consortia."""
        with self.database.transaction() as connection:
            rows = [(consent, str(consortium)) for consortium in consortia]
            connection.executemany("INSERT OR IGNORE INTO grant_consortia VALUES (?, ?)", rows)

    def add(self, *, record: str, pseudonym: str, resource: dict[str, Any], grant: Grant, at: int) -> None:
        """Record a consent that is new; `sqlite3.IntegrityError` if it is not. It counts where `add_to` says."""
        text = canonical_json(resource).decode()
        with self.database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO subjects VALUES (?, ?)", (pseudonym, record))
            connection.execute(
                "INSERT INTO grants VALUES (?, ?, ?, ?, ?, NULL)", (grant.id, pseudonym, grant.state.value, text, at)
            )

    def grants_by_subject(self, consortium: uuid.UUID) -> Iterator[tuple[str, list[Grant]]]:
        """Yield every subject's grants that count in a consortium, in the order of the pseudonyms."""
        rows = self.database.rows(
            "SELECT pseudonym, state, resource FROM grants WHERE consent IN "
            "(SELECT consent FROM grant_consortia WHERE consortium = ?) ORDER BY pseudonym, consent",
            str(consortium),
        )
        return _by_subject(rows)

    def all_grants_by_subject(self) -> Iterator[tuple[str, list[Grant]]]:
        """Yield every subject's grants, wherever they count, in the order of the pseudonyms."""
        return _by_subject(
            self.database.rows("SELECT pseudonym, state, resource FROM grants ORDER BY pseudonym, consent")
        )

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

    def _adopt(self) -> None:
        """Let consents of earlier releases, which counted everywhere, count in every consortium of that time."""
        unlinked = "FROM grants WHERE consent NOT IN (SELECT consent FROM grant_consortia)"
        if self.database.row(f"SELECT 1 {unlinked} LIMIT 1") is None:
            return
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT INTO grant_consortia SELECT consent, id FROM consortia CROSS JOIN "  # noqa: S608  a constant
                f"(SELECT consent {unlinked})"
            )

    def numbers(self) -> dict[str, int]:
        """Return how many grants there are by state, and how many subjects: exact, for the member's own eyes."""
        by_state = self.database.rows("SELECT state, count(*) FROM grants GROUP BY state ORDER BY state")
        subjects = self.database.rows("SELECT count(*) FROM subjects")
        return {str(state): int(count) for state, count in by_state} | {"subjects": int(subjects[0][0])}


def _by_subject(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, list[Grant]]]:
    for pseudonym, group in groupby(rows, key=lambda row: str(row[0])):
        yield pseudonym, [_grant(state, resource) for _, state, resource in group]


def _grant(state: str, resource: str) -> Grant:
    return replace(grant_of(json.loads(resource)), state=GrantState(state))
