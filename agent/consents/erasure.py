"""Erasing a subject (GDPR Art. 17): first the list of runs that held them, then their salts, grants and links.

Cohorts and epochs keep their leaves, which nobody can link to a person any more; their inclusion and non-revocation
still verify, their purpose reads "erased, not re-checkable". The erasure list lies in a file of its own and is
replayed after any restore, of the store from a backup or of the salts from a rolling copy.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.client import PREFIX
from agent.clock import Clock, now
from agent.consents.database import Database
from agent.consents.outgoing import OutgoingMail
from agent.consents.schema import ERASURES
from agent.consents.signing import DocumentSigner
from agent.consents.store import ConsentStore
from agent.consents.vault import SaltVault
from agent.consents.withdrawals import WithdrawalRequest, Withdrawals
from agent.journal import Journal
from consent.domain.documents import Erasure
from consortium.kernel.consent_leaf import subject_commitment

ERASURES_PATH = f"{PREFIX}/consents/erasures"
# Which models a run became; the chain's ModelRegistry knows, the consent store does not.
ModelsOf = Callable[[Sequence[uuid.UUID]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done: the runs that had the subject in a cohort, the models made of them, and how many salts went."""

    runs: tuple[uuid.UUID, ...]
    models: tuple[str, ...]
    salts: int


class Eraser:
    """Erases subjects of one member."""

    def __init__(
        self,
        *,
        path: Path,
        store: ConsentStore,
        vault: SaltVault,
        mail: OutgoingMail,
        signer: DocumentSigner,
        withdrawals: Withdrawals,
        journal: Journal,
        organization: uuid.UUID,
        clock: Clock = now,
    ) -> None:
        self._list = Database(path, ERASURES)
        self._store = store
        self._vault = vault
        self._mail = mail
        self._signer = signer
        self._withdrawals = withdrawals
        self._journal = journal
        self._organization = organization
        self._clock = clock

    def erase(self, pseudonym: str, *, models_of: ModelsOf = lambda _runs: ()) -> Erased:
        """Withdraw what is still active, write the list, then delete; a kill in between is finished by `replay`."""
        if any(stored.permits for stored in self._store.grants_of(pseudonym)):
            self._withdrawals.withdraw(WithdrawalRequest(pseudonym))
        runs = self._runs_of(pseudonym)
        models = tuple(models_of(runs))
        at = int(self._clock().timestamp())
        with self._list.transaction() as connection:
            row = (pseudonym, at, json.dumps([str(run) for run in runs]), json.dumps(models))
            connection.execute("INSERT OR REPLACE INTO erasures VALUES (?, ?, ?, ?)", row)
        document = Erasure(self._organization, pseudonym, runs, at).document()
        self._mail.keep(self._signer.signed(document, ERASURES_PATH))
        salts = self._delete(pseudonym, at)
        self._journal.record("erasure", "done", runs=[str(run) for run in runs], models=list(models))
        return Erased(runs, models, salts)

    def replay(self) -> int:
        """Delete again whatever a restore brought back; return how many subjects are on the list."""
        rows = self._list.rows("SELECT pseudonym, erased_at FROM erasures ORDER BY erased_at")
        for pseudonym, erased_at in rows:
            self._delete(str(pseudonym), int(erased_at))
        return len(rows)

    def _runs_of(self, pseudonym: str) -> tuple[uuid.UUID, ...]:
        found: set[str] = set()
        for consortium in self._store.consortia():
            salts = self._vault.known(consortium, [pseudonym]).get(pseudonym)
            if salts is not None:
                subject = subject_commitment(salts.subject, pseudonym)
                rows = self._store.database.rows("SELECT DISTINCT run FROM cohorts WHERE subject = ?", subject)
                found |= {str(run) for (run,) in rows}
        return tuple(sorted(uuid.UUID(run) for run in found))

    def _delete(self, pseudonym: str, erased_at: int) -> int:
        """Delete what was known before the erasure; a subject who consented anew since keeps the new consent."""
        with self._store.database.transaction() as connection:
            newer = connection.execute(
                "SELECT 1 FROM grants WHERE pseudonym = ? AND imported_at > ?", (pseudonym, erased_at)
            ).fetchone()
            connection.execute("DELETE FROM grants WHERE pseudonym = ? AND imported_at <= ?", (pseudonym, erased_at))
            connection.execute("UPDATE withdrawals SET pseudonym = NULL WHERE pseudonym = ?", (pseudonym,))
            if newer is None:
                connection.execute(
                    "UPDATE leaves SET pseudonym = NULL, provisions = NULL WHERE pseudonym = ?", (pseudonym,)
                )
                connection.execute("DELETE FROM subjects WHERE pseudonym = ?", (pseudonym,))
                connection.execute(
                    "DELETE FROM provisions WHERE digest NOT IN "
                    "(SELECT provisions FROM leaves WHERE provisions IS NOT NULL)"
                )
                self._delete_rules(pseudonym)
            self._store.raise_generation()
        self._store.database.truncate_log()
        return self._vault.forget(pseudonym) if newer is None else 0

    def _delete_rules(self, pseudonym: str) -> None:
        with self._store.database.transaction() as connection:
            known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'effective_rule'").fetchone()
            if known is not None:
                connection.execute("DELETE FROM effective_rule WHERE subject LIKE ?", (f"%/{pseudonym}",))
