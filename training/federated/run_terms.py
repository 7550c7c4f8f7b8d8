"""What the vote on a plan fixes besides the plan itself, as the TrainingLedger holds it."""

import hashlib
from dataclasses import dataclass
from typing import Final

from consortium.kernel.bands import EDGES
from consortium.kernel.digests import digest_to_bytes32, keccak256
from training.federated.errors import BoundBrokenError, ParameterBoundError, PlanInvalidError
from training.federated.secagg.parameters import MAX_SITES, SecureAggregationParameters

# Names the derivation in training.federated.weights.initial_weights, scaled as the plan's algorithm says.
INITIAL_WEIGHTS_RULE: Final = "consilium/initial-weights/1"
MAX_ROUNDS: Final = 100_000
_UINT16: Final = 2**16 - 1


@dataclass(frozen=True, slots=True)
class RunTerms:
    """`ITrainingLedger.RunTerms`; an object of this class is one that the ledger takes.

    Parameters
    ----------
    minimum_sites : int
        The fewest sites a round opens with.
    threshold, colluders : int
        t and c of secure aggregation; the bound is asked again for every opened roster.
    verifier_quorum : int
        Signatures that close a round: at least c + 1.
    rounds, max_runs : int
    minimum_band : int
        The smallest cohort, as the lower edge of a band.
    initial_weights_rule : bytes
        SHA-256 of the rule's name, 32 bytes.

    Raises
    ------
    BoundBrokenError
        If the smallest roster breaks 2t > n + c or t - c >= 2.
    PlanInvalidError
        If another number is out of its range.
    """

    minimum_sites: int
    threshold: int
    colluders: int
    verifier_quorum: int
    rounds: int
    max_runs: int
    minimum_band: int
    initial_weights_rule: bytes

    def __post_init__(self) -> None:
        ensure_bound(self.minimum_sites, self.threshold, self.colluders)
        _require(self.minimum_sites <= MAX_SITES, f"minimum_sites is at most {MAX_SITES}.")
        _require(
            self.colluders < self.verifier_quorum <= self.minimum_sites,
            "verifier_quorum lies from c + 1 to minimum_sites.",
        )
        _require(1 <= self.rounds <= MAX_ROUNDS, f"rounds lie from 1 to {MAX_ROUNDS}.")
        _require(1 <= self.max_runs <= _UINT16, f"max_runs lies from 1 to {_UINT16}.")
        _require(self.minimum_band in EDGES, "minimum_band is the lower edge of a band: 10, 25, 50, 100, ...")
        _require(len(self.initial_weights_rule) == 32, "The rule of the initial weights is a digest of 32 bytes.")

    def fields(self) -> dict[str, int | bytes]:
        """Return the struct as the contract's ABI names its members."""
        return {
            "minimumSites": self.minimum_sites,
            "threshold": self.threshold,
            "colluders": self.colluders,
            "verifierQuorum": self.verifier_quorum,
            "rounds": self.rounds,
            "maxRuns": self.max_runs,
            "minimumBand": self.minimum_band,
            "initialWeightsRule": self.initial_weights_rule,
        }

    def to_wire(self) -> dict[str, object]:
        """Return the terms as the payload of `commit` carries them."""
        return {
            name: "0x" + value.hex() if isinstance(value, bytes) else value for name, value in self.fields().items()
        }

    def subject(self, plan_digest: str) -> bytes:
        """Return what the vote on the plan decides: `TrainingLedger.subjectOf`, 32 bytes.

        The struct has no dynamic member, so its ABI encoding is one word a member.
        """
        words = [value if isinstance(value, bytes) else value.to_bytes(32, "big") for value in self.fields().values()]
        return keccak256(digest_to_bytes32(plan_digest) + b"".join(words))


def rule_digest(rule: str = INITIAL_WEIGHTS_RULE) -> bytes:
    """Return the 32 bytes by which the ledger names a rule of initial weights."""
    return hashlib.sha256(rule.encode()).digest()


def ensure_bound(sites: int, threshold: int, colluders: int) -> None:
    """Refuse a roster of `sites` on which single updates would not stay closed.

    Raises
    ------
    BoundBrokenError
        With the numbers.
    """
    try:
        SecureAggregationParameters(n=sites, t=threshold, c=colluders, ring_bits=64)
    except ParameterBoundError as error:
        raise BoundBrokenError(error.message, n=sites, t=threshold, c=colluders) from error


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise PlanInvalidError(message)
