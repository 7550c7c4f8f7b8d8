"""The TrainingLedger and its neighbors, as the member's own node shows them, and signatures in its domain."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from agent.chain import Chain, Consortium
from agent.keystore import KeyPurpose
from agent.policy import SigningRequest
from agent.signer import Signer
from agent.training.payloads import Place
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.errors import InvalidSignatureError
from consortium.kernel.identifiers import bytes32_to_uuid, from_hex, uuid_to_bytes32
from consortium.kernel.secp256k1 import recover
from contracts.events import BlockHeader, ChainEvent
from training.federated.errors import SignatureRefusedError
from training.federated.secagg.context import AttemptContext
from training.federated.secagg.deals import SignedFields

LEDGER, REGISTRY, BOARD, ANCHOR = "TrainingLedger", "ConsortiumRegistry", "DecisionBoard", "ConsentAnchor"
APPROVE_PLAN = 1
_SITE_KEY = 2
_NO_KEY = "0x" + "0" * 40
# An opening is looked for backwards in windows, as far as a round can last on one-second blocks.
_WINDOW_BLOCKS = 250
_FARTHEST_BLOCKS = 20_000


class RunStatus(IntEnum):
    """ITrainingLedger.RunStatus."""

    NONE = 0
    PLANNED = 1
    RUNNING = 2
    COMPLETED = 3
    CANCELED = 4
    FAILED = 5


class AttemptStatus(IntEnum):
    """ITrainingLedger.AttemptStatus."""

    NONE = 0
    OPEN = 1
    CLOSED = 2
    ABANDONED = 3


@dataclass(frozen=True, slots=True)
class RunOnChain:
    """A run as it stands; digests have 32 bytes."""

    status: RunStatus
    attempt_status: AttemptStatus
    round: int
    attempt: int
    plan: bytes
    decision: bytes
    author: bytes
    weights: bytes
    terms: Mapping[str, Any]

    @property
    def is_live(self) -> bool:
        return self.status in (RunStatus.PLANNED, RunStatus.RUNNING)

    @property
    def next_place(self) -> tuple[int, int]:
        """Round and attempt that the next opening carries, as the contract's `nextAttempt`."""
        if self.attempt_status is AttemptStatus.ABANDONED:
            return self.round, self.attempt + 1
        return self.round + 1, 1

    def is_open_at(self, round_number: int, attempt: int) -> bool:
        """Whether this attempt is open now."""
        here = (self.round, self.attempt) == (round_number, attempt)
        return self.is_live and here and self.attempt_status is AttemptStatus.OPEN


@dataclass(frozen=True, slots=True)
class Opening:
    """What `RoundOpened` fixed: plan, weights, and the roster with each member's accepted commitment."""

    plan: bytes
    weights: bytes
    commitments: Mapping[uuid.UUID, Mapping[str, Any]]


class Ledger:
    """One consortium's ledger for one member; made anew each time its contracts are checked."""

    def __init__(self, *, chain: Chain, consortium: Consortium, signer: Signer, organization: uuid.UUID) -> None:
        self.consortium = consortium
        self.organization = organization
        self._chain = chain
        self._signer = signer
        self._keys: dict[uuid.UUID, str] = {}

    @property
    def address(self) -> str:
        return self.consortium.reference(LEDGER).address

    def context(self, place: Place) -> AttemptContext:
        """Return what the attempt's keys, shares and signatures are bound to."""
        ledger = from_hex(self.address, size_bytes=20)
        return AttemptContext(self.consortium.chain_id, ledger, place.run, place.round, place.attempt)

    def head(self) -> BlockHeader:
        return self._chain.head()

    def block(self, number: int) -> BlockHeader | None:
        return self._chain.block(number)

    def run_of(self, run: uuid.UUID) -> RunOnChain:
        """Return the run; its status is NONE where the node does not know it."""
        found = self._ask(LEDGER, "runOf", uuid_to_bytes32(run))
        return RunOnChain(
            RunStatus(found["status"]),
            AttemptStatus(found["attemptStatus"]),
            *(found[name] for name in ("round", "attempt", "plan", "decision", "author", "weights", "terms")),
        )

    def roster_of(self, run: uuid.UUID) -> tuple[uuid.UUID, ...]:
        """Return the roster of the current or last attempt, in the chain's order."""
        return tuple(bytes32_to_uuid(member) for member in self._ask(LEDGER, "rosterOf", uuid_to_bytes32(run)))

    def is_approved(self, subject: bytes, decision: bytes) -> bool:
        """Whether exactly this decision approved exactly this plan with its terms."""
        return bool(self._ask(BOARD, "isApproved", APPROVE_PLAN, subject, decision))

    def has_consented(self, decision: bytes) -> bool:
        """Whether this member said yes for itself."""
        return bool(self._ask(BOARD, "hasConsented", decision, uuid_to_bytes32(self.organization)))

    def is_active(self, organization: uuid.UUID) -> bool:
        return bool(self._ask(REGISTRY, "isActive", uuid_to_bytes32(organization)))

    def is_runner(self, digest: bytes) -> bool:
        """Whether the members accept this runner now; a vote may retire it at any time."""
        return bool(self._ask(REGISTRY, "isRunner", digest))

    def consent_seq(self) -> int:
        """Return the counter of this member's consents."""
        return int(self._ask(ANCHOR, "stateOf", uuid_to_bytes32(self.organization))["seq"])

    def completion(self, run: uuid.UUID, weights: bytes) -> tuple[bool, bytes]:
        """Return whether the run is completed with these as its last weights, and its plan's author."""
        is_final, author = self._ask(LEDGER, "completion", uuid_to_bytes32(run), weights)
        return bool(is_final), author

    def opening(self, place: Place, *, first_block: int | None = None) -> Opening | None:
        """Return what opened the attempt, or None where the node shows nothing of it (yet).

        Parameters
        ----------
        first_block : int, optional
            Nothing before it is looked at; without it the search goes backwards from the head.
        """
        last = self._chain.head().number
        lowest = max(last - _FARTHEST_BLOCKS, 0) if first_block is None else first_block
        while last >= lowest:
            first = max(last - _WINDOW_BLOCKS + 1, lowest)
            if (found := self._opening_within(place, first, last)) is not None:
                return found
            last = first - 1
        return None

    def sign(self, kind: str, fields: SignedFields) -> bytes:
        """Return this member's signature; `PolicyRefusedError` if its policy forbids it."""
        return self.sign_for(LEDGER, kind, fields)

    def sign_for(self, contract: str, kind: str, fields: SignedFields) -> bytes:
        domain = self.consortium.domain(contract)
        return self._signer.sign(SigningRequest(kind, domain, dict(fields), self.consortium.id)).signature

    def is_by_present_key(self, kind: str, fields: SignedFields, signature: bytes) -> bool:
        """Whether this member's own signature is of the key that signs for it now."""
        signer = recover(typed_hash(self.consortium.domain(LEDGER), kind, dict(fields)), signature)
        return signer == self._signer.address(KeyPurpose.SITE, self.consortium.id)

    def verify(self, organization: uuid.UUID, kind: str, fields: SignedFields, signature: bytes) -> None:
        """Raise `SignatureRefusedError` unless the organization's site key, as registered, signed these fields."""
        digest = typed_hash(self.consortium.domain(LEDGER), kind, dict(fields))
        try:
            signer = recover(digest, signature)
        except InvalidSignatureError as error:
            raise SignatureRefusedError(f"The signature of {organization} over {kind} is malformed.") from error
        if signer != self._key_of(organization):
            raise SignatureRefusedError(f"{kind} is not signed by the site key of {organization}.")

    def _key_of(self, organization: uuid.UUID) -> str:
        if organization not in self._keys:
            found = self._ask(REGISTRY, "keyOf", uuid_to_bytes32(organization), _SITE_KEY)
            if found == _NO_KEY:
                raise SignatureRefusedError(f"The registry lists no site key of {organization}.")
            self._keys[organization] = found
        return self._keys[organization]

    def _opening_within(self, place: Place, first: int, last: int) -> Opening | None:
        run = uuid_to_bytes32(place.run)
        events = self._chain.logs([self.consortium.reference(LEDGER)], first, last)
        ours = [event for event in events if event.arguments.get("run") == run]
        opened = next((event for event in ours if _is_opening(event, place)), None)
        if opened is None:
            return None
        accepted = {
            event.arguments["organization"]: event.arguments["commitment"]
            for event in ours
            if event.name == "CommitmentAccepted" and event.transaction_hash == opened.transaction_hash
        }
        roster = opened.arguments["roster"]
        return Opening(
            opened.arguments["plan"],
            opened.arguments["weights"],
            {bytes32_to_uuid(member): accepted[member] for member in roster},
        )

    def _ask(self, contract: str, function: str, *arguments: Any) -> Any:
        return self._chain.call(self.consortium.reference(contract), function, *arguments)


def _is_opening(event: ChainEvent, place: Place) -> bool:
    here = (event.arguments.get("round"), event.arguments.get("attempt"))
    return event.name == "RoundOpened" and here == (place.round, place.attempt)
