"""What this member proposes: an act to the governor or a decision to the board, signed by a voter's word."""

import re
from collections.abc import Mapping, Sequence
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
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.identifiers import from_hex, to_hex

# The relay has so long to bring the signature to the chain; after that it is worth nothing.
LIFETIME_SECONDS = 3600
# The governor's own limit, in bytes.
MAX_DESCRIPTION_BYTES = 1024
_HEX_BYTES = re.compile(r"0x(?:[0-9a-fA-F]{64})\Z")


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

    def propose_act(
        self, *, consortium: Consortium, kind: str, arguments: Mapping[str, Any], description: str, person: Person
    ) -> Letter:
        """Sign a constitutional act.

        Parameters
        ----------
        kind : str
            A name of `acts.ACTS`, such as "Admit".
        arguments : mapping
            By the function's own names; bytes32 as 0x-prefixed text or bytes.
        """
        person.require(Role.VOTER)
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
        return self._sign(consortium, GOVERNOR, "ProposeAct", message, extra, person)

    def open_decision(
        self,
        *,
        consortium: Consortium,
        kind: str,
        subject: bytes,
        owners: Sequence[bytes],
        description: str,
        person: Person,
        document_digest: str = "",
    ) -> Letter:
        """Sign the opening of a decision, under the policy that the registry names now.

        `document_digest` names the document that voters are shown, where the subject is not its digest.
        """
        person.require(Role.VOTER)
        numbers = {name: number for number, (name, _phrase) in DECISIONS.items()}
        if kind not in numbers:
            raise InvalidInputError(f"There is no decision {kind!r}. Decisions are: {', '.join(numbers)}.")
        policy = self._chain.call(consortium.reference("ConsortiumRegistry"), "policyDigest")
        message = {
            **{"kind": numbers[kind], "subject": subject, "policy": policy, "author": self._organization},
            **{"owners": list(owners), **self._number(consortium, BOARD)},
        }
        extra = {
            **{"kind": numbers[kind], "subject": to_hex(subject), "policy": to_hex(policy)},
            **{"owners": [to_hex(owner) for owner in owners], "description": description},
            **({"document_digest": document_digest} if document_digest else {}),
        }
        return self._sign(consortium, BOARD, "OpenDecision", message, extra, person)

    def _number(self, consortium: Consortium, contract: str) -> dict[str, int]:
        """Return the member's next number at the contract, and until when the chain takes the signature."""
        at = consortium.reference(contract)
        nonce = self._letters.next_nonce(at.address, self._chain.call(at, "nonceOf", self._organization))
        return {"nonce": nonce, "deadline": self._chain.head().time + LIFETIME_SECONDS}

    def _sign(
        self,
        consortium: Consortium,
        contract: str,
        primary: str,
        message: Mapping[str, Any],
        extra: Mapping[str, Any],
        person: Person,
    ) -> Letter:
        domain = consortium.domain(contract)
        digest = to_hex(typed_hash(domain, primary, message))
        key = f"proposal:{digest}"
        request = SigningRequest(primary, domain, message, consortium.id, person)
        said = self._signer.sentence(request)
        self._journal.decide(key, primary, kind="proposal", digest=digest, person=person.name, sentence=said)
        signed = self._signer.sign(request)
        body = {
            **{"consortium": str(consortium.id), "contract": contract, **extra},
            **{"nonce": message["nonce"], "deadline": message["deadline"], "signature": to_hex(signed.signature)},
        }
        scope = consortium.reference(contract).address
        letter = Letter(digest, key, scope, message["nonce"], f"{PREFIX}/proposals", body)
        self._letters.keep(letter)
        return letter


def _raw(value: Any) -> Any:
    """Read a bytes32 from JSON; addresses, numbers and truth values stay as they are."""
    return from_hex(value) if type(value) is str and _HEX_BYTES.match(value) else value
