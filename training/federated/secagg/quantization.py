"""Fixed point: real numbers as integers of the ring, with a proof that no sum overflows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.federated.errors import QuantizationError
from training.federated.secagg.prg import RING_DTYPES, RingVector
from training.federated.tensors import ensure_finite

FloatVector = NDArray[np.float64]

_SIGNED: Final[Mapping[int, np.dtype[Any]]] = {32: np.dtype("<i4"), 64: np.dtype("<i8")}
# float64 holds integers exactly up to 2**53: sums stay below, so that decoding never rounds.
_EXACT_BITS: Final = 53


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """Encoding of values within [-bound, bound], of which at most `addends` are summed.

    Parameters
    ----------
    bound : float
        Largest magnitude after clipping, positive.
    addends : int
        Vectors in the sum, at most.
    fraction_bits : int
        A value v is stored as rint(v * 2**fraction_bits).
    ring_bits : int
        32 or 64.

    Raises
    ------
    QuantizationError
        If addends * bound * 2**fraction_bits does not fit the signed ring (and float64's 53 bits).
    """

    bound: float
    addends: int
    fraction_bits: int
    ring_bits: int

    def __post_init__(self) -> None:
        if self.ring_bits not in RING_DTYPES:
            raise QuantizationError(f"The ring has 32 or 64 bits, not {self.ring_bits}.")
        if not (0 < self.bound < np.inf and self.addends >= 1 and 0 <= self.fraction_bits <= 62):
            raise QuantizationError("Bound and addends are positive and fraction bits lie between 0 and 62.")
        if self.largest_sum > self.limit:
            raise QuantizationError(f"{self.proof()} It does not fit; use 64 bits, a lower bound or fewer sites.")

    @property
    def limit(self) -> int:
        """Largest integer that a sum may reach."""
        return int(2 ** min(self.ring_bits - 1, _EXACT_BITS)) - 1

    @property
    def largest_sum(self) -> int:
        return self.addends * int(np.rint(self.bound * 2.0**self.fraction_bits))

    @property
    def error_bound(self) -> float:
        """Largest error of a decoded sum against the sum of the clipped values: half a step an addend."""
        return float(self.addends * 2.0 ** -(self.fraction_bits + 1))

    def proof(self) -> str:
        """Return the overflow proof as a sentence with its numbers."""
        return (
            f"{self.addends} addends of magnitude at most {self.bound:g} * 2^{self.fraction_bits} "
            f"sum to at most {self.largest_sum}, limit {self.limit} ({self.ring_bits} bits)."
        )

    def encode(self, values: FloatVector) -> RingVector:
        """Clip to the bound, scale, round half to even; `NotFiniteError` on NaN or infinity."""
        ensure_finite(values, what="a vector")
        scaled = np.rint(np.clip(values, -self.bound, self.bound) * 2.0**self.fraction_bits)
        return scaled.astype(_SIGNED[self.ring_bits]).view(RING_DTYPES[self.ring_bits])

    def decode(self, total: RingVector, *, addends: int) -> FloatVector:
        """Return the exact real value of a sum of `addends` vectors.

        Raises
        ------
        QuantizationError
            If there are more addends than the encoding was proven for.
        """
        if not 1 <= addends <= self.addends:
            raise QuantizationError(f"{addends} addends; the encoding is proven for 1 to {self.addends}.")
        return total.view(_SIGNED[self.ring_bits]).astype(np.float64) * 2.0**-self.fraction_bits

    def within(self, total: FloatVector, *, addends: int) -> bool:
        """Whether a decoded sum is one that `addends` honest vectors can have."""
        step = 2.0**-self.fraction_bits
        return bool(np.all(np.abs(total) <= addends * np.rint(self.bound / step) * step))


def finest(*, bound: float, addends: int, ring_bits: int) -> FixedPoint:
    """Return the encoding with the most fraction bits (at most 40) that the ring can hold.

    Beyond 40 bits the error of a sum lies far below what one gradient step changes.
    """
    coarsest = FixedPoint(bound, addends, 0, ring_bits)
    # rint may add one half to each addend
    room = coarsest.limit / addends - 1
    fraction_bits = max(0, min(40, math.floor(math.log2(max(room / bound, 1.0)))))
    return FixedPoint(bound, addends, fraction_bits, ring_bits)
