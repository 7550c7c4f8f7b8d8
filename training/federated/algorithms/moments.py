"""Means and deviations over all sites' rows: measured in a run's first round, like any update under a mask.

The weights end with a block of moments when a plan has measured features: for each of them the share of rows with a
value, the mean of the scaled value, and the mean of its square (a missing value counts 0 in both), and then one
coordinate `measured`. All are 0 in the initial weights. In a round that comes in with measured below one half, a
site's update of the block is its own moments minus what came in, and 0 for the model; averaging with the rows as
weights makes the pooled moments of it. In every other round the block's update is exactly 0, and x + 0 is x, so the
moments stay bit for bit, and the final weights carry what a prediction needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.federated.algorithms.features import Feature, Matrix, MeasuredFeature

FloatVector = NDArray[np.float64]

_EACH: Final = 3
# Of the range between the bounds a column this constant says nothing, and shares this small are rounding.
MIN_VARIANCE: Final = 1e-12
MIN_SHARE: Final = 1e-9


class Standard(NamedTuple):
    """What each measured column is shifted by and multiplied with; the gain of a constant column is 0."""

    means: FloatVector
    gains: FloatVector


@dataclass(frozen=True, slots=True)
class Moments:
    """The block of a plan: `places` are the measured columns in the design matrix."""

    places: tuple[int, ...]

    @classmethod
    def of(cls, features: Sequence[Feature]) -> "Moments":
        places, start = [], 0
        for feature in features:
            if isinstance(feature, MeasuredFeature):
                places.append(start)
            start += len(feature.columns)
        return cls(tuple(places))

    @property
    def size(self) -> int:
        """Coordinates of the block; 0 if nothing is measured."""
        return _EACH * len(self.places) + 1 if self.places else 0

    @property
    def largest_change(self) -> float:
        """Largest Euclidean norm of a site's moments: each coordinate lies in [0, 1]."""
        return float(np.sqrt(self.size))

    def is_due(self, block: FloatVector) -> bool:
        """Say whether the round that comes in with this block is the one that measures."""
        return bool(self.places) and not self._is_measured(block)

    def measure(self, matrix: Matrix) -> FloatVector:
        """Return the block of these rows, shape (size,), from the design matrix before it is standardized."""
        columns = matrix[:, list(self.places)]
        known = ~np.isnan(columns)
        values = np.where(known, columns, 0.0)
        each = np.stack([known.mean(axis=0), values.mean(axis=0), (values**2).mean(axis=0)], axis=1)
        return np.append(each.reshape(-1), 1.0)

    def standard(self, block: FloatVector) -> Standard:
        """Return means and gains; both 0 as long as nothing was measured."""
        if not self._is_measured(block):
            return Standard(np.zeros(len(self.places)), np.zeros(len(self.places)))
        share, mean, square = block[:-1].reshape(-1, _EACH).T
        has_values = share > MIN_SHARE
        divisor = np.where(has_values, share, 1.0)
        means = mean / divisor
        variance = square / divisor - means**2
        varies = has_values & (variance > MIN_VARIANCE)
        return Standard(means, np.where(varies, 1.0 / np.sqrt(np.where(varies, variance, 1.0)), 0.0))

    def standardize(self, matrix: Matrix, block: FloatVector) -> Matrix:
        """Return the matrix with its measured columns at mean 0 and deviation 1; what is missing is at the mean."""
        if not self.places:
            return matrix
        standard, places = self.standard(block), list(self.places)
        ready = matrix.copy()
        centered = (matrix[:, places] - standard.means) * standard.gains
        ready[:, places] = np.where(np.isnan(centered), 0.0, centered)
        return ready

    @staticmethod
    def _is_measured(block: FloatVector) -> bool:
        return bool(block.size) and bool(block[-1] >= 0.5)
