"""What a verifying site recomputes before it signs a round's result, bit for bit."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from consortium.kernel.identifiers import uuid_to_bytes32
from training.federated import tensors
from training.federated.errors import VerificationError
from training.federated.secagg.coordinator import unmask
from training.federated.secagg.deals import SignedFields
from training.federated.secagg.masked_vector import MaskedVector, sum_vectors
from training.federated.secagg.opened import OpenedAttempt
from training.federated.secagg.opening import mismatched
from training.federated.secagg.prg import RingVector
from training.federated.secagg.releases import OpenedSecrets
from training.federated.secagg.survivors import SurvivorSet

ROUND_RESULT = "RoundResult"
# step(total, number of survivors) -> canonical safetensors of the next weights
Step = Callable[[RingVector, int], bytes]


@dataclass(frozen=True, slots=True)
class RoundResult:
    """A round's outcome: digests of the unmasked sum and of the next weights, SHA-256, 32 bytes each."""

    survivors: SurvivorSet
    aggregate: bytes
    next_weights: bytes

    def fields(self, opened: OpenedAttempt) -> SignedFields:
        """Return the fields of the EIP-712 type RoundResult."""
        return {
            "run": uuid_to_bytes32(opened.context.run),
            "round": opened.context.round,
            "attempt": opened.context.attempt,
            "survivors": self.survivors.survivors,
            "maskedDigests": self.survivors.combined_digest(),
            "aggregate": self.aggregate,
            "nextWeights": self.next_weights,
        }


def aggregate_digest(total: RingVector) -> bytes:
    """Return SHA-256 of the unmasked sum as canonical safetensors with the one tensor `total`."""
    return hashlib.sha256(tensors.dump({"total": total})).digest()


def make_result(survivors: SurvivorSet, total: RingVector, next_weights: bytes) -> RoundResult:
    """Return the result that the coordinator claims; `next_weights` are the bytes, not their digest."""
    return RoundResult(survivors, aggregate_digest(total), hashlib.sha256(next_weights).digest())


def verify_round(
    *,
    opened: OpenedAttempt,
    claimed: RoundResult,
    masked: Mapping[uuid.UUID, MaskedVector],
    secrets: OpenedSecrets,
    size: int,
    step: Step,
) -> bytes:
    """Recompute sum and step from masked vectors and opened secrets.

    Parameters
    ----------
    opened : OpenedAttempt
        Made by the verifier from its own reading of the chain.
    claimed : RoundResult
        Its survivor set must be the one that this site signed, or one with t signatures.
    masked, secrets
        As fetched from the platform.
    size : int
        Coordinates of a vector.
    step : Step
        The plan's strategy on the incoming weights.

    Returns
    -------
    bytes
        The next weights that the verifier itself computed.

    Raises
    ------
    VerificationError
        Saying which part differs.
    """
    members = claimed.survivors.members(opened)
    if len(members) < opened.parameters.t:
        raise VerificationError(f"The claimed result has fewer survivors than t={opened.parameters.t}.")
    if set(masked) != set(members) or set(secrets.seeds) != set(members) or secrets.mask_privates.keys() & set(members):
        raise VerificationError("Masked vectors and opened seeds are not those of exactly the survivors.")
    opened.ensure_members([*secrets.mask_privates])
    wrong = mismatched(opened, secrets)
    if wrong:
        raise VerificationError(f"The opened secret of {wrong[0]} is not the one it committed to.")
    total = _sum(opened, claimed.survivors, members, masked, size)
    unmask(total, opened, claimed.survivors, secrets)
    if aggregate_digest(total) != claimed.aggregate:
        raise VerificationError("The recomputed sum differs from the claimed aggregate.")
    next_weights = step(total, len(members))
    if hashlib.sha256(next_weights).digest() != claimed.next_weights:
        raise VerificationError("The recomputed next weights differ from the claimed ones.")
    return next_weights


def _sum(
    opened: OpenedAttempt,
    survivors: SurvivorSet,
    members: tuple[uuid.UUID, ...],
    masked: Mapping[uuid.UUID, MaskedVector],
    size: int,
) -> RingVector:
    for member, digest in zip(members, survivors.masked_digests, strict=True):
        if masked[member].digest() != digest:
            raise VerificationError(f"The masked vector of {member} is not the one whose digest was signed.")
    return sum_vectors((masked[member] for member in members), size=size, ring_bits=opened.parameters.ring_bits)
