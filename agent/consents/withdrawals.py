"""Withdrawing at the site: from the command line, the member page, or the platform; one path for all three.

From the moment that this returns no cohort of the site holds the subject. The signed receipt says so; the chain says
it to everybody with the urgent revocation, or with the next epoch.
"""

import uuid
from dataclasses import dataclass

from agent.client import PREFIX
from agent.clock import Clock, now
from agent.consents.effects import Effect, Effects
from agent.consents.errors import UnknownSubjectError
from agent.consents.outgoing import OutgoingMail
from agent.consents.signing import DocumentSigner
from agent.consents.store import ConsentStore
from agent.consents.vault import SaltVault
from agent.journal import Journal
from consent.domain.documents import MAX_CONSENTS, REASONS, Receipt
from consent.fhir.pseudonyms import is_pseudonym, pseudonym
from consortium.kernel.consent_leaf import subject_commitment
from consortium.kernel.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class WithdrawalRequest:
    """What is withdrawn: the named consents of a subject, or all by which they permit anything.

    `is_urgent` False waits for the next epoch on the chain; the site itself selects the subject no more either way.
    """

    pseudonym: str
    reason: str = "subject_request"
    consents: tuple[str, ...] = ()
    id: uuid.UUID | None = None
    is_urgent: bool = True

    def __post_init__(self) -> None:
        if self.reason not in REASONS or not is_pseudonym(self.pseudonym) or len(self.consents) > MAX_CONSENTS:
            raise InvalidInputError(f"A withdrawal names a subject and one of the reasons {', '.join(REASONS)}.")


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What became of it: `consents` were active and are withdrawn now; `is_new` False for a repeated request."""

    id: uuid.UUID
    consents: tuple[str, ...]
    is_new: bool


class Withdrawals:
    """Takes withdrawals of one member's subjects."""

    def __init__(
        self,
        *,
        store: ConsentStore,
        vault: SaltVault,
        mail: OutgoingMail,
        signer: DocumentSigner,
        journal: Journal,
        organization: uuid.UUID,
        pseudonym_key: bytes,
        clock: Clock = now,
    ) -> None:
        self._store = store
        self._vault = vault
        self._mail = mail
        self._signer = signer
        self._journal = journal
        self._organization = organization
        self._key = pseudonym_key
        self._clock = clock
        self._effects = Effects(store.database)

    def pseudonym_of(self, record: str) -> str:
        """Return the pseudonym of a subject by their record's id."""
        return pseudonym(self._key, record)

    def withdraw(self, request: WithdrawalRequest) -> Withdrawn:
        """Withdraw, sign the receipt and queue it; the same request again changes nothing.

        Raises
        ------
        UnknownSubjectError
            If the site holds no consent of the subject and nobody else says that it did.
        """
        identity = request.id or uuid.uuid4()
        at = int(self._clock().timestamp())
        with self._store.database.transaction() as connection:
            if connection.execute("SELECT 1 FROM withdrawals WHERE id = ?", (str(identity),)).fetchone():
                return Withdrawn(identity, (), is_new=False)
            consents = self._active(request)
            if request.id is None and not consents:
                raise UnknownSubjectError("No active consent of this subject is in the store: nothing to withdraw.")
            row = (str(identity), request.pseudonym, at)
            connection.execute("INSERT INTO withdrawals VALUES (?, ?, ?)", row)
            self._store.withdraw(consents, identity)
            for consortium in self._store.consortia():
                subject = self._subject(consortium, request.pseudonym)
                self._effects.add(consortium, Effect(identity, subject, request.is_urgent))
            receipt = Receipt(self._organization, identity, request.pseudonym, consents, request.reason, at)
            path = f"{PREFIX}/consents/withdrawals/{identity}/receipt"
            self._mail.keep(self._signer.signed(receipt.document(), path))
        self._journal.record("withdrawal", "received", withdrawal=str(identity), consents=len(consents))
        return Withdrawn(identity, consents, is_new=True)

    def _active(self, request: WithdrawalRequest) -> tuple[str, ...]:
        """Return what is withdrawn: never a refusal, so that nobody permits more by a withdrawal than before.

        A consent that also denies something is withdrawn with all that permit: its denial must not go while another
        consent's permit stays.
        """
        permitting = [stored for stored in self._store.grants_of(request.pseudonym) if stored.permits]
        named = [stored for stored in permitting if stored.grant.id in request.consents]
        narrow = request.consents and not any(stored.denies for stored in named)
        return tuple(stored.grant.id for stored in (named if narrow else permitting))

    def _subject(self, consortium: uuid.UUID, name: str) -> bytes | None:
        salts = self._vault.known(consortium, [name]).get(name)
        return None if salts is None else subject_commitment(salts.subject, name)
