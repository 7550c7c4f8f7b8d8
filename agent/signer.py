"""The only place where the member's keys are used: typed messages, after the policy, with an entry for each."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from agent.errors import PolicyRefusedError
from agent.journal import Journal
from agent.keystore import KeyPurpose, LoadedKey
from agent.policy import SigningPolicy, SigningRequest
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.errors import ConsiliumError, InvalidInputError
from consortium.kernel.identifiers import to_hex


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature (65 bytes), the 32 bytes it is over, and the key's address."""

    digest: bytes
    signature: bytes
    address: str


class Signer:
    """Signs what the policy lets through; there is no way to have other bytes signed."""

    def __init__(self, keys: Mapping[KeyPurpose, LoadedKey], policy: SigningPolicy, journal: Journal) -> None:
        self._keys = dict(keys)
        self._policy = policy
        self._journal = journal
        self._lock = threading.Lock()

    def address(self, purpose: KeyPurpose) -> str:
        """Return the address of one of the member's keys."""
        return self._keys[purpose].address

    def sign(self, request: SigningRequest) -> Signed:
        """Return a signature that the journal holds an entry of.

        Raises
        ------
        PolicyRefusedError
            If a rule forbids it; nothing is signed and the refusal is in the journal.
        InvalidInputError
            If the message is not exactly of its type; likewise.
        """
        with self._lock:
            try:
                purpose = self._policy.check(request)
                digest = typed_hash(request.domain, request.primary, request.message)
            except (PolicyRefusedError, InvalidInputError) as error:
                self._enter(request, "refused", reason=_reason(error))
                raise
            key = self._keys[purpose]
            signature = key.sign(digest)
            self._enter(request, "signed", digest=to_hex(digest), key=key.address)
        return Signed(digest, signature, key.address)

    def _enter(self, request: SigningRequest, outcome: str, *, digest: str = "", **detail: str) -> None:
        consortium = str(request.consortium) if request.consortium else ""
        person = request.person.name if request.person else ""
        names = {"primary": request.primary, "contract": request.domain.contract or "", "consortium": consortium}
        self._journal.record("signature", outcome, digest=digest, person=person, **names, **detail)


def _reason(error: ConsiliumError) -> str:
    return error.reason if isinstance(error, PolicyRefusedError) else error.code
