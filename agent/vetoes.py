"""A guardian's veto: read from its own node, approved by a voter, signed, handed over as a letter."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from agent.chain import Chain, Consortium
from agent.client import PREFIX, OfferedBallot
from agent.clock import from_seconds
from agent.errors import NotOpenError
from agent.journal import Journal
from agent.letters import Letter, Letters
from agent.people import Person, Role
from agent.policy import SigningRequest
from agent.questions import GOVERNOR, Question, QuestionReader
from agent.sentences import signed_sentence
from agent.signer import Signer
from agent.wording import gettext as _
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.errors import ConflictError, InvalidInputError
from consortium.kernel.identifiers import from_hex, to_hex

GUARDIAN = "Guardian"
LONGEST_REASON = 500
# OpenZeppelin's ProposalState.
_CANCELED, _QUEUED, _EXECUTED = 2, 5, 7
_ENDED = {
    _CANCELED: _("This act was vetoed."),
    _EXECUTED: _("This act was carried out; a veto comes too late. Propose to undo it."),
}


@dataclass(frozen=True, slots=True)
class WaitingAct:
    """An act that was voted, as the member's own node has it; `why_not` says why it cannot be vetoed, if so.

    `operation` is the timelock's name for what waits, `subject` the call that is vetoed once.
    """

    question: Question
    operation: bytes
    subject: bytes
    executable_at: datetime
    threshold: int
    guardians: int
    why_not: str


@dataclass(frozen=True, slots=True)
class PreparedVeto:
    """What would be signed: the sentence to read and the digest to compare; `literal` says the signed fields alone."""

    request: SigningRequest
    digest: bytes
    sentence: str
    literal: str


class Vetoes:
    """Signs the vetoes of one member."""

    def __init__(
        self, *, reader: QuestionReader, chain: Chain, signer: Signer, journal: Journal, letters: Letters, us: bytes
    ) -> None:
        self._reader = reader
        self._chain = chain
        self._signer = signer
        self._journal = journal
        self._letters = letters
        self._us = us

    def read(self, consortium: Consortium, proposal_id: str) -> WaitingAct:
        """Return what waits under a proposal's number.

        Raises
        ------
        NotOpenError, ContradictionError
            If the chain knows no such act, or would carry out something else than its kind says.
        """
        question = self._reader.read(consortium, GOVERNOR, proposal_id)
        at, ask = question.block.number, self._chain.call
        governor, guardian = consortium.reference(GOVERNOR), consortium.reference(GUARDIAN)
        targets, _values, calls, description = ask(governor, "proposalDetails", question.proposal_id, block=at)
        salt = _salt(governor.address, bytes(description))
        operation = ask(guardian, "operationOf", targets[0], bytes(calls[0]), salt, block=at)
        subject = ask(guardian, "subjectOf", targets[0], bytes(calls[0]), block=at)
        numbers = ask(guardian, "numbers", block=at)
        return WaitingAct(
            question=question,
            operation=bytes(operation),
            subject=bytes(subject),
            executable_at=from_seconds(ask(governor, "proposalEta", question.proposal_id, block=at)),
            threshold=numbers[0],
            guardians=numbers[1],
            why_not=self._why_not(consortium, question, targets[0], bytes(operation), bytes(subject)),
        )

    def prepare(self, act: WaitingAct, *, person: Person | None = None) -> PreparedVeto:
        """Return the message of a veto, its digest and its sentence."""
        consortium = act.question.consortium
        domain, message = consortium.domain(GUARDIAN), {"operation": act.operation, "subject": act.subject}
        request = SigningRequest("Veto", domain, message, consortium.id, person)
        words = {"us": self._reader.names.name(self._us), "phrase": act.question.phrase}
        sentence = _("%(us)s vetoes %(phrase)s, which was voted and waits.") % words
        literal = signed_sentence(request, self._reader.names.name)
        return PreparedVeto(request, typed_hash(domain, "Veto", message), sentence, literal)

    def given(self, act: WaitingAct) -> Letter | None:
        """Return the letter that carries this member's veto of the act, if it has signed one."""
        letters = [one for one in self._letters.of_decision(_key(act)) if one.state != "refused"]
        return letters[-1] if letters else None

    def sign(self, *, offered: OfferedBallot, act: WaitingAct, reason: str, person: Person, digest: bytes) -> Letter:
        """Sign the veto that the person read, and return the letter that carries it; asked again, the same one.

        Parameters
        ----------
        reason : str
            Told to the members in the platform's portal; no signature covers it.
        digest : 32 bytes
            What the person saw beside the sentence.

        Raises
        ------
        PersonRefusedError
            If the person is no voter.
        NotOpenError
            If nothing waits that this member could veto; the message says why.
        ConflictError
            If the digest is not that of this veto: it has to be read again.
        """
        person.require(Role.VOTER)
        if letter := self.given(act):
            return letter
        words = _require_reason(reason)
        if act.why_not:
            raise NotOpenError(act.why_not)
        prepared = self.prepare(act, person=person)
        if prepared.digest != digest:
            raise ConflictError("The veto is not the one you read. Read it again.")
        key, text, said = _key(act), to_hex(prepared.digest), prepared.sentence
        self._journal.decide(key, "veto", kind="veto", digest=text, person=person.name, sentence=said)
        signed = self._signer.sign(prepared.request)
        body = {"reason": words, "signature": to_hex(signed.signature)}
        letter = Letter(text, key, "", 0, f"{PREFIX}/vetoes/{offered.proposal}", body)
        self._letters.keep(letter)
        return letter

    def _why_not(
        self, consortium: Consortium, question: Question, target: str, operation: bytes, subject: bytes
    ) -> str:
        """Say why the contract would refuse this member's veto now; empty if it would not."""
        at, ask, guardian = question.block.number, self._chain.call, consortium.reference(GUARDIAN)
        state = ask(consortium.reference(GOVERNOR), "state", question.proposal_id, block=at)
        timelock = consortium.reference("TimelockController")
        if state != _QUEUED or not ask(timelock, "isOperationPending", operation, block=at):
            return _ENDED.get(
                state, _("Nothing waits here: an act can be vetoed from the end of its vote until it is carried out.")
            )
        if target == guardian.address:
            return _("The guardian cannot veto a change of itself.")
        if ask(guardian, "isVetoed", subject, block=at):
            return _("The same act was vetoed before, and the members voted again: a veto is had once.")
        registry = consortium.reference("ConsortiumRegistry")
        is_active = ask(registry, "isActive", self._us, block=at)
        if not is_active or not ask(guardian, "isGuardian", self._us, block=at):
            return _("This member is no guardian of the consortium: the members appoint them.")
        return ""


def platform_id(text: str) -> uuid.UUID:
    """Return the platform's number of a proposal; `InvalidInputError` for anything else."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise InvalidInputError("A proposal is named by its UUID.") from error


def _salt(governor: str, description_digest: bytes) -> bytes:
    """Return the governor's salt of an operation: its address over the digest of the numbered description."""
    mask = from_hex(governor, size_bytes=20) + bytes(12)
    return bytes(left ^ right for left, right in zip(mask, description_digest, strict=True))


def _require_reason(reason: str) -> str:
    words = " ".join(reason.split())
    if not words or len(words) > LONGEST_REASON:
        raise InvalidInputError(
            f"Say why in 1 to {LONGEST_REASON} characters: the members read it before they vote again.", field="reason"
        )
    return words


def _key(act: WaitingAct) -> str:
    consortium = act.question.consortium
    return f"veto:{consortium.chain_id}:{consortium.reference(GUARDIAN).address}:{to_hex(act.operation)}"
