"""The one vector a site masks: weight times update, weight, metric counts, in named slices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.federated.errors import QuantizationError, RangeCheckError
from training.federated.secagg.prg import RingVector
from training.federated.secagg.quantization import FixedPoint, finest
from training.federated.tensors import ensure_finite

FloatVector = NDArray[np.float64]

WEIGHTED_UPDATE: Final = "weighted_update"
WEIGHT: Final = "weight"
HISTOGRAM_NEGATIVE: Final = "histogram_negative"
HISTOGRAM_POSITIVE: Final = "histogram_positive"
CONFUSION: Final = "confusion"
CALIBRATION: Final = "calibration"
# Scores are summed in whole 1/1024ths, so that the calibration curve is made of integers too.
SCORE_UNITS: Final = 1024


@dataclass(frozen=True, slots=True)
class Slice:
    """A run of coordinates with one encoding; a count is a whole number from 0 to the encoding's bound."""

    name: str
    start: int
    size: int
    encoding: FixedPoint
    is_count: bool

    @property
    def place(self) -> slice:
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True, slots=True)
class VectorLayout:
    """Slices without gaps, in order."""

    slices: tuple[Slice, ...]

    @property
    def size(self) -> int:
        return sum(part.size for part in self.slices)

    @property
    def ring_bits(self) -> int:
        return self.slices[0].encoding.ring_bits

    def part(self, name: str) -> Slice:
        return next(part for part in self.slices if part.name == name)

    def join(self, values: Mapping[str, FloatVector]) -> FloatVector:
        """Return the plain vector, float64, shape (size,), from one array a slice."""
        return np.concatenate([np.asarray(values[part.name], np.float64).reshape(part.size) for part in self.slices])

    def encode(self, plain: FloatVector) -> RingVector:
        """Return the plain vector in the ring.

        Raises
        ------
        NotFiniteError, QuantizationError
            If a value is not finite, the shape is wrong, or a count is not a whole number within its bound.
        """
        if plain.dtype != np.float64 or plain.shape != (self.size,):
            raise QuantizationError(f"A plain vector is float64 of shape ({self.size},).")
        ensure_finite(plain, what="an update")
        for part in self.slices:
            values = plain[part.place]
            is_whole = (values == np.rint(values)) & (values >= 0) & (values <= part.encoding.bound)
            if part.is_count and not is_whole.all():
                raise QuantizationError(f"{part.name} holds whole numbers from 0 to {part.encoding.bound:g}.")
        return np.concatenate([part.encoding.encode(plain[part.place]) for part in self.slices])

    def decode(self, total: RingVector, *, addends: int) -> dict[str, FloatVector]:
        """Return the exact real sums by slice and refuse what `addends` honest sites cannot have sent.

        Raises
        ------
        RangeCheckError
            Naming the slice: somebody masked a vector wrongly, who cannot be known; abandon the attempt.
        """
        if total.shape != (self.size,):
            raise RangeCheckError(f"The sum has shape {total.shape}, not ({self.size},).")
        sums = {part.name: part.encoding.decode(total[part.place], addends=addends) for part in self.slices}
        for part in self.slices:
            values = sums[part.name]
            if not part.encoding.within(values, addends=addends) or (part.is_count and np.any(values < 0)):
                raise RangeCheckError(f"The sum of {part.name} lies outside what {addends} sites can send.")
        self._ensure_consistent(sums)
        return sums

    def _ensure_consistent(self, sums: Mapping[str, FloatVector]) -> None:
        """Hold the counts to each other: each of the three kinds counts every row once."""
        rows = sums[WEIGHT][0]
        positives = sums[HISTOGRAM_POSITIVE].sum()
        true_positives, _, false_negatives, _ = sums[CONFUSION]
        calibration = sums[CALIBRATION].reshape(-1, 3)
        counted = {
            "histograms": positives + sums[HISTOGRAM_NEGATIVE].sum() == rows,
            CONFUSION: sums[CONFUSION].sum() == rows and true_positives + false_negatives == positives,
            CALIBRATION: calibration[:, 0].sum() == rows and calibration[:, 1].sum() == positives,
        }
        wrong = [name for name, holds in counted.items() if not holds]
        if rows <= 0 or wrong:
            raise RangeCheckError(f"The counts contradict each other ({', '.join(wrong) or WEIGHT}).")


def make_layout(
    *,
    weights: int,
    clip_bound: float,
    max_rows: int,
    max_sites: int,
    ring_bits: int,
    histogram_bins: int,
    calibration_bins: int,
) -> VectorLayout:
    """Return the layout of a round's vector; `QuantizationError` if a slice's sum could overflow."""
    update = finest(bound=clip_bound, addends=max_sites, ring_bits=ring_bits)
    rows = FixedPoint(float(max_rows), max_sites, 0, ring_bits)
    scores = FixedPoint(float(max_rows) * SCORE_UNITS, max_sites, 0, ring_bits)
    parts = (
        (WEIGHTED_UPDATE, weights, update),
        (WEIGHT, 1, rows),
        (HISTOGRAM_NEGATIVE, histogram_bins, rows),
        (HISTOGRAM_POSITIVE, histogram_bins, rows),
        (CONFUSION, 4, rows),
        (CALIBRATION, 3 * calibration_bins, scores),
    )
    slices, start = [], 0
    for name, size, encoding in parts:
        slices.append(Slice(name, start, size, encoding, is_count=name != WEIGHTED_UPDATE))
        start += size
    return VectorLayout(tuple(slices))
