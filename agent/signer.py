"""The only place where the member's keys are used: typed messages, after the policy, with an entry for each."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from agent.errors import PolicyRefusedError
from agent.journal import Journal
from agent.keystore import KeyPurpose
from agent.policy import SigningPolicy, SigningRequest, require_own_key
from agent.sentences import NameOf, signed_sentence
from agent.signing.keyring import Keyring
from consortium.kernel.eip712 import AGENT_DOMAIN, TYPES, Domain
from consortium.kernel.errors import ConsiliumError, InvalidInputError
from consortium.kernel.identifiers import to_hex
from contracts.signing.keys import SigningKey, TypedData, checked_signature

_TRIAL = "AgentRequest"
_LATEST_ENTRIES = 5000
# Which address the registry lists for a purpose: of one consortium, or of those that this site has checked.
Listed = Callable[[KeyPurpose, uuid.UUID | None], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature (65 bytes), the 32 bytes it is over, and the key's address."""

    digest: bytes
    signature: bytes
    address: str


class Signer:
    """Signs what the policy lets through; there is no way to have other bytes signed."""

    def __init__(
        self, keyring: Keyring, policy: SigningPolicy, journal: Journal, *, listed: Listed, name_of: NameOf
    ) -> None:
        self._keyring = keyring
        self._policy = policy
        self._journal = journal
        self._listed = listed
        self._name_of = name_of

    def address(self, purpose: KeyPurpose, consortium: uuid.UUID | None = None) -> str:
        """Return the address of the key that signs for a consortium, or off the chain."""
        return self._key(purpose, consortium).address

    def place(self, purpose: KeyPurpose, consortium: uuid.UUID | None = None) -> str:
        """Return where that key lies: `keystore` or `web3signer`."""
        return self._key(purpose, consortium).place

    def is_by_present_key(self, digest: str, consortium: uuid.UUID) -> bool:
        """Say whether a site key's signature that the journal holds is of the key that signs now.

        Only the latest entries are looked at: what is still on its way was signed a moment ago.
        """
        rows = self._journal.read(
            "SELECT json_extract(detail, '$.key') FROM entries "
            "WHERE position > (SELECT max(position) FROM entries) - ? "
            "AND kind = 'signature' AND outcome = 'signed' AND digest = ?",
            *(_LATEST_ENTRIES, digest),
        )
        return not rows or rows[-1][0] == self.address(KeyPurpose.SITE, consortium)

    def sentence(self, request: SigningRequest) -> str:
        """Return what signing the request says, in one sentence made of the signed fields."""
        return signed_sentence(request, self._name_of)

    def sign(self, request: SigningRequest) -> Signed:
        """Return a signature that the journal holds an entry of, and that is this key's over these bytes.

        Raises
        ------
        PolicyRefusedError
            If a rule forbids it; nothing is signed and the refusal is in the journal.
        InvalidInputError
            If the message is not exactly of its type; likewise.
        SignerAwayError, SignerRefusedError, SignerNotTrustedError
            If the key lies elsewhere and gives no signature that holds; likewise, as failed.
        """
        try:
            with self._policy.admit(request) as purpose:
                return self._sign(request, purpose)
        except (PolicyRefusedError, InvalidInputError) as error:
            self._enter(request, "refused", reason=_reason(error))
            raise

    def try_key(self, purpose: KeyPurpose, key: SigningKey) -> None:
        """Have a key sign a request for a session of the year 1970, which opens nothing anywhere.

        Raises
        ------
        SignerAwayError, SignerRefusedError, SignerNotTrustedError
            If it gives no signature that holds.
        """
        words = {name: bytes(32) for kind, name in TYPES[_TRIAL].members if kind == "bytes32"}
        data = TypedData(Domain(AGENT_DOMAIN, 1), _TRIAL, {**words, "time": 0})
        outcome = "failed"
        try:
            checked_signature(key.sign(data), data.digest, key.address)
            outcome = "signed"
        finally:
            self._journal.record("key", f"trial_{outcome}", purpose=purpose.value, address=key.address)

    def _sign(self, request: SigningRequest, purpose: KeyPurpose) -> Signed:
        data = TypedData(request.domain, request.primary, request.message)
        digest, key = data.digest, self._key(purpose, request.consortium)
        require_own_key(request, key.address, lambda address: self._holds(request, address))
        try:
            signature = checked_signature(key.sign(data), digest, key.address)
        except ConsiliumError as error:
            self._enter(request, "failed", reason=error.code, purpose=purpose.value, key=key.address)
            raise
        # What a person signs is said in words made from the signed fields themselves, and kept beside the digest.
        said = {"sentence": self.sentence(request)} if request.person else {}
        self._enter(request, "signed", digest=to_hex(digest), purpose=purpose.value, key=key.address, **said)
        return Signed(digest, signature, key.address)

    def _key(self, purpose: KeyPurpose, consortium: uuid.UUID | None) -> SigningKey:
        """Return the one key there is; of several the one that the registry lists, from its block on."""
        held = self._keyring.held(purpose)
        if len(held) == 1:
            return held[0]
        listed = self._look(purpose, consortium)
        return next((key for key in held if key.address in listed), held[0])

    def _look(self, purpose: KeyPurpose, consortium: uuid.UUID | None) -> frozenset[str]:
        """Return what the registries list; a node that is away keeps nobody from talking to the platform."""
        try:
            return self._listed(purpose, consortium)
        except ConsiliumError:
            if consortium is not None:
                raise
            return frozenset()

    def _holds(self, request: SigningRequest, address: str) -> bool:
        numbers = {1: KeyPurpose.VOTE, 2: KeyPurpose.SITE}
        purpose = numbers.get(request.message["purpose"])
        return purpose is not None and self._keyring.by_address(purpose, address) is not None

    def _enter(self, request: SigningRequest, outcome: str, *, digest: str = "", **detail: str) -> None:
        consortium = str(request.consortium) if request.consortium else ""
        person = request.person.name if request.person else ""
        names = {"primary": request.primary, "contract": request.domain.contract or "", "consortium": consortium}
        self._journal.record("signature", outcome, digest=digest, person=person, **names, **detail)


def _reason(error: ConsiliumError) -> str:
    return error.reason if isinstance(error, PolicyRefusedError) else error.code
