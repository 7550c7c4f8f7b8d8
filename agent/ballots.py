"""A member's ballot: read from its own node, approved by a voter, signed once, handed over as a letter."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.chain import Chain
from agent.client import PREFIX, OfferedBallot
from agent.errors import ContradictionError, NotOpenError
from agent.journal import Journal
from agent.keystore import KeyPurpose
from agent.letters import Letter, Letters
from agent.people import Person, Role
from agent.policy import SigningRequest
from agent.questions import GOVERNOR, Phase, Question, QuestionReader
from agent.sentences import signed_sentence
from agent.signer import Signer
from agent.wording import gettext as _
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.errors import ConflictError
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32


class Choice(StrEnum):
    """A ballot's answer."""

    YES = "yes"
    NO = "no"
    ABSTAIN = "abstain"


# OpenZeppelin's VoteType, and the board's Choice.
_SUPPORT = {Choice.NO: 0, Choice.YES: 1, Choice.ABSTAIN: 2}
_CHOICE = {Choice.YES: 1, Choice.NO: 2, Choice.ABSTAIN: 3}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What would be signed for one answer: the sentence to read and the digest to compare.

    `sentence` says what the answer means, read from the own node; `literal` says the signed fields and nothing else.
    """

    choice: Choice
    request: SigningRequest
    digest: bytes
    sentence: str
    literal: str


class Ballots:
    """Casts the ballots of one member."""

    def __init__(
        self, *, reader: QuestionReader, chain: Chain, signer: Signer, journal: Journal, letters: Letters
    ) -> None:
        self.reader = reader
        self._chain = chain
        self._signer = signer
        self._journal = journal
        self._letters = letters

    def require_agreement(self, offered: OfferedBallot, question: Question) -> None:
        """Hold what the platform says of a proposal to what the chain says.

        Raises
        ------
        ContradictionError
            If they differ; the journal says how.
        """
        wrong = [name for name, fits in _comparisons(offered, question) if not fits]
        if wrong:
            self._journal.record(
                "ballot", "refused", reason="platform_contradicts_chain", proposal=question.id_text, fields=wrong
            )
            raise ContradictionError(
                f"The platform and your own node disagree on {', '.join(wrong)} of this proposal. Nothing was signed; "
                "ask the other members what they see."
            )

    def prepare(self, question: Question, choice: Choice, *, person: Person | None = None) -> Prepared:
        """Return the message of a ballot, its digest and its sentence."""
        organization = uuid_to_bytes32(self.reader.organization)
        if question.contract == GOVERNOR:
            primary, message = "Ballot", self._governor_message(question, choice)
        else:
            primary = "CastBallot"
            message = {
                "decision": question.proposal_id,
                "subject": question.subject,
                "organization": organization,
                "choice": _CHOICE[choice],
            }
        domain = question.consortium.domain(question.contract)
        request = SigningRequest(primary, domain, message, question.consortium.id, person)
        words = {"us": self.reader.names.name(organization), "choice": _(choice.value), "phrase": question.phrase}
        sentence = _("%(us)s votes %(choice)s on %(phrase)s.") % words
        literal = signed_sentence(request, self.reader.names.name)
        return Prepared(choice, request, typed_hash(domain, primary, message), sentence, literal)

    def given(self, question: Question) -> Choice | None:
        """Return the answer that this member has decided on, if it has."""
        value = self._journal.decision(decision_key(question))
        return None if value is None else Choice(value)

    def cast(
        self, *, offered: OfferedBallot, question: Question, choice: Choice, person: Person, digest: bytes
    ) -> Letter:
        """Sign the ballot that the person read, once, and return the letter that carries it.

        Asked again with the same answer it returns the same letter.

        Parameters
        ----------
        digest : 32 bytes
            What the person saw beside the sentence.

        Raises
        ------
        PersonRefusedError
            If the person is no voter.
        NotOpenError
            If the chain takes no ballot of this member now.
        ConflictError
            If the digest is not that of this ballot any more: it has to be read again.
        AlreadyDecidedError
            If the member has answered otherwise.
        """
        person.require(Role.VOTER)
        self.require_agreement(offered, question)
        if letter := self._standing_letter(question, choice):
            return letter
        self._require_open(question)
        prepared = self.prepare(question, choice, person=person)
        if prepared.digest != digest:
            raise ConflictError("The ballot is not the one you read: its number changed. Read it again.")
        key, text = decision_key(question), to_hex(digest)
        self._journal.decide(key, choice, kind="ballot", digest=text, person=person.name, sentence=prepared.sentence)
        signed = self._signer.sign(prepared.request)
        letter = _letter(offered, prepared, key, signed.signature, signed.address)
        self._letters.keep(letter)
        return letter

    def _governor_message(self, question: Question, choice: Choice) -> dict[str, Any]:
        voter = self._signer.address(KeyPurpose.VOTE, question.consortium.id)
        return {
            "proposalId": question.proposal_id,
            "support": _SUPPORT[choice],
            "voter": voter,
            "nonce": self._nonce(question, voter),
        }

    def _nonce(self, question: Question, voter: str) -> int:
        """Return the number that this ballot has, or gets: ballots of several proposals may be on their way at once."""
        governor = question.consortium.reference(GOVERNOR)
        on_chain = self._chain.call(governor, "nonces", voter)
        return self._letters.next_nonce(f"{governor.address}:{voter}", on_chain)

    def _standing_letter(self, question: Question, choice: Choice) -> Letter | None:
        """Return the letter of this same answer while it can still be counted."""
        if self._journal.decision(decision_key(question)) != choice:
            return None
        letters = [letter for letter in self._letters.of_decision(decision_key(question)) if letter.state != "refused"]
        if not letters:
            return None
        latest = letters[-1]
        if question.has_answered or not latest.scope:
            return latest
        _governor, voter = latest.scope.split(":")
        if voter != self._signer.address(KeyPurpose.VOTE, question.consortium.id):
            # Its key was replaced before it landed: the chain refuses it now, and the answer is signed anew.
            return None
        used = self._chain.call(question.consortium.reference(GOVERNOR), "nonces", voter)
        return latest if latest.nonce >= used else None

    def _require_open(self, question: Question) -> None:
        if question.has_answered:
            raise NotOpenError("The chain holds this member's ballot already.")
        if question.phase is Phase.NOT_YET:
            raise NotOpenError(f"Ballots are taken from {question.opens_at:%d %b %Y, %H:%M:%S} UTC.")
        if question.phase is not Phase.OPEN:
            raise NotOpenError("The proposal takes no ballots any more.")
        if not question.is_eligible:
            raise NotOpenError("This member has no vote on this proposal: it was not active, or is its author.")


def decision_key(question: Question) -> str:
    """Return the journal's key under which a member's one answer to a proposal stands."""
    contract = question.consortium.reference(question.contract)
    return f"ballot:{question.consortium.chain_id}:{contract.address}:{question.id_text}"


def _letter(offered: OfferedBallot, prepared: Prepared, key: str, signature: bytes, voter: str) -> Letter:
    message: Mapping[str, Any] = prepared.request.message
    numbered = prepared.request.primary == "Ballot"
    scope = f"{prepared.request.domain.contract}:{voter}" if numbered else ""
    body = {"choice": prepared.choice.value, "voter": voter, "signature": to_hex(signature)}
    nonce = message["nonce"] if numbered else 0
    return Letter(to_hex(prepared.digest), key, scope, nonce, f"{PREFIX}/ballots/{offered.proposal}", body)


def _comparisons(offered: OfferedBallot, question: Question) -> list[tuple[str, bool]]:
    kind = offered.kind.replace("_", "").casefold() == question.kind.casefold()
    subject = not offered.subject.startswith("0x") or offered.subject.casefold() == to_hex(question.subject)
    return [
        ("consortium", offered.consortium == question.consortium.id),
        ("contract", offered.contract == question.contract),
        ("identifier", offered.proposal_id.casefold() == question.id_text),
        ("kind", kind),
        ("subject", subject or not question.subject),
    ]
