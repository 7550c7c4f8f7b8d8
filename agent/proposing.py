"""What this member proposes: an act to the governor or a decision to the board, signed by a voter's word."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.acts import ACTS, KIND_NUMBERS
from agent.chain import Chain, Consortium
from agent.client import PREFIX
from agent.journal import Journal
from agent.letters import Letter, Letters
from agent.people import Person, Role
from agent.policy import SigningRequest
from agent.questions import BOARD, DECISIONS, GOVERNOR
from agent.signer import Signer
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.errors import ConflictError, InvalidInputError
from consortium.kernel.identifiers import from_hex, to_hex

# The relay has so long to bring the signature to the chain; after that it is worth nothing.
LIFETIME_SECONDS = 3600
# The governor's own limit, in bytes.
MAX_DESCRIPTION_BYTES = 1024
_HEX_BYTES = re.compile(r"0x(?:[0-9a-fA-F]{64})\Z")


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal before a person has approved it: the sentence to read, the digest to compare."""

    request: SigningRequest
    contract: str
    digest: bytes
    sentence: str
    extra: Mapping[str, Any]

    @property
    def deadline(self) -> int:
        """Until when the chain takes it, in seconds after 1970."""
        return int(self.request.message["deadline"])


class Proposing:
    """Signs the proposals of one member."""

    def __init__(
        self, *, chain: Chain, signer: Signer, journal: Journal, letters: Letters, organization: bytes
    ) -> None:
        self._chain = chain
        self._signer = signer
        self._journal = journal
        self._letters = letters
        self._organization = organization

    def propose_act(self, *, person: Person, **about: Any) -> Letter:
        """Draft a constitutional act and sign it; see `draft_act`."""
        person.require(Role.VOTER)
        return self.sign(self.draft_act(**about), person)

    def open_decision(self, *, person: Person, **about: Any) -> Letter:
        """Draft the opening of a decision and sign it; see `draft_decision`."""
        person.require(Role.VOTER)
        return self.sign(self.draft_decision(**about), person)

    def draft_act(self, *, consortium: Consortium, kind: str, arguments: Mapping[str, Any], description: str) -> Draft:
        """Return a constitutional act to be signed.

        Parameters
        ----------
        kind : str
            A name of `acts.ACTS`, such as "Admit".
        arguments : mapping
            By the function's own names; bytes32 as 0x-prefixed text or bytes.
        """
        if kind not in KIND_NUMBERS:
            raise InvalidInputError(f"There is no act {kind!r}. Acts are: {', '.join(KIND_NUMBERS)}.")
        if len(description.encode()) > MAX_DESCRIPTION_BYTES:
            raise InvalidInputError(f"The description has more than {MAX_DESCRIPTION_BYTES} bytes.")
        encoded = ACTS[KIND_NUMBERS[kind]].encode({name: _raw(value) for name, value in arguments.items()})
        message = {
            **{"organization": self._organization, "kind": KIND_NUMBERS[kind], "arguments": encoded},
            **{"description": description, **self._number(consortium, GOVERNOR)},
        }
        extra = {"kind": KIND_NUMBERS[kind], "arguments": to_hex(encoded), "description": description}
        return self._draft(consortium, GOVERNOR, "ProposeAct", message, extra)

    def draft_decision(
        self,
        *,
        consortium: Consortium,
        kind: str,
        subject: bytes,
        owners: Sequence[bytes],
        description: str,
        document_digest: str = "",
        deadline: int | None = None,
    ) -> Draft:
        """Return the opening of a decision, under the policy that the registry names now.

        Parameters
        ----------
        document_digest : str, optional
            Names the document that voters are shown, where the subject is not its digest.
        deadline : int, optional
            That of a draft that was shown before, so that the very same is signed.
        """
        numbers = {name: number for number, (name, _phrase) in DECISIONS.items()}
        if kind not in numbers:
            raise InvalidInputError(f"There is no decision {kind!r}. Decisions are: {', '.join(numbers)}.")
        policy = self._chain.call(consortium.reference("ConsortiumRegistry"), "policyDigest")
        message = {
            **{"kind": numbers[kind], "subject": subject, "policy": policy, "author": self._organization},
            **{"owners": list(owners), **self._number(consortium, BOARD, deadline)},
        }
        extra = {
            **{"kind": numbers[kind], "subject": to_hex(subject), "policy": to_hex(policy)},
            **{"owners": [to_hex(owner) for owner in owners], "description": description},
            **({"document_digest": document_digest} if document_digest else {}),
        }
        return self._draft(consortium, BOARD, "OpenDecision", message, extra)

    def sign(self, draft: Draft, person: Person, *, digest: bytes | None = None) -> Letter:
        """Sign what a voter read, and return the letter that carries it.

        Parameters
        ----------
        digest : 32 bytes, optional
            What the voter saw beside the sentence.

        Raises
        ------
        PersonRefusedError
            If the person is no voter.
        ConflictError
            If the draft is not the one with that digest: it has to be read again.
        """
        person.require(Role.VOTER)
        if digest is not None and digest != draft.digest:
            raise ConflictError("The proposal is not the one you read: its number changed. Read it again.")
        request, text = replace(draft.request, person=person), to_hex(draft.digest)
        key, primary, message = f"proposal:{text}", request.primary, request.message
        said = draft.sentence
        self._journal.decide(key, primary, kind="proposal", digest=text, person=person.name, sentence=said)
        signed = self._signer.sign(request)
        body = {
            **{"consortium": str(request.consortium), "contract": draft.contract, **draft.extra},
            **{"nonce": message["nonce"], "deadline": message["deadline"], "signature": to_hex(signed.signature)},
        }
        letter = Letter(text, key, str(request.domain.contract), message["nonce"], f"{PREFIX}/proposals", body)
        self._letters.keep(letter)
        return letter

    def _number(self, consortium: Consortium, contract: str, deadline: int | None = None) -> dict[str, int]:
        """Return the member's next number at the contract, and until when the chain takes the signature."""
        at = consortium.reference(contract)
        nonce = self._letters.next_nonce(at.address, self._chain.call(at, "nonceOf", self._organization))
        latest = self._chain.head().time + LIFETIME_SECONDS
        return {"nonce": nonce, "deadline": latest if deadline is None else min(deadline, latest)}

    def _draft(
        self, consortium: Consortium, contract: str, primary: str, message: Mapping[str, Any], extra: Mapping[str, Any]
    ) -> Draft:
        domain = consortium.domain(contract)
        request = SigningRequest(primary, domain, message, consortium.id)
        said = self._signer.sentence(request)
        return Draft(request, contract, typed_hash(domain, primary, message), said, extra)


def _raw(value: Any) -> Any:
    """Read a bytes32 from JSON; addresses, numbers and truth values stay as they are."""
    return from_hex(value) if type(value) is str and _HEX_BYTES.match(value) else value
