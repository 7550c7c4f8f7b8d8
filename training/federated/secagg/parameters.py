"""The bound under which secure aggregation keeps single updates closed."""

from dataclasses import dataclass
from typing import Final

from training.federated.errors import ParameterBoundError

# A uint256 holds the survivors; the ledger caps a roster at 64 so that its loops stay bounded.
MAX_SITES: Final = 64


@dataclass(frozen=True, slots=True)
class SecureAggregationParameters:
    """Parameters of one attempt; an object of this class meets the bound.

    Two survivor sets, both signed by t sites, would need t + t signatures. An honest site signs
    one set, c sites may sign both, so at most n + c signatures exist: with 2t > n + c one set at
    most is ever signed by t. With t - c >= 2 its sum mixes at least two honest updates.

    Parameters
    ----------
    n : int
        Sites of the opened roster, not of the plan.
    t : int
        Signatures on a survivor set, survivors, and shares that rebuild a secret.
    c : int
        Sites that may work with the platform against another.
    ring_bits : int
        32 or 64: sums are taken modulo 2**ring_bits.

    Raises
    ------
    ParameterBoundError
        Unless 1 <= t <= n <= 64, c >= 0, 2t > n + c and t - c >= 2.
    """

    n: int
    t: int
    c: int
    ring_bits: int

    def __post_init__(self) -> None:
        if self.ring_bits not in (32, 64):
            raise ParameterBoundError(f"The ring has 32 or 64 bits, not {self.ring_bits}.")
        if not (self.c >= 0 and 1 <= self.t <= self.n <= MAX_SITES):
            raise ParameterBoundError(
                f"n={self.n}, t={self.t}, c={self.c}: needs c >= 0 and 1 <= t <= n <= {MAX_SITES}."
            )
        if not 2 * self.t > self.n + self.c:
            raise ParameterBoundError(f"n={self.n}, t={self.t}, c={self.c} breaks 2t > n + c; open with a higher t.")
        if not self.t - self.c >= 2:
            raise ParameterBoundError(f"n={self.n}, t={self.t}, c={self.c} breaks t - c >= 2; open with more sites.")

    @property
    def tolerated_losses(self) -> int:
        """Sites that may fall silent after dealing without the attempt being abandoned."""
        return self.n - self.t

    def sentence(self) -> str:
        """Return the sentence that stands beside every figure made with these parameters."""
        return (
            f"n={self.n} sites, t={self.t}, c={self.c}: no single update is opened to the platform together with "
            f"at most {self.c} of the sites; {self.tolerated_losses} of them may be lost."
        )
