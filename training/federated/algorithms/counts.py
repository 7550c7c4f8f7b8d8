"""Metric counts of one site: whole numbers, so that their masked sums are exact."""

import numpy as np
from numpy.typing import NDArray

from training.federated.layout import (
    CALIBRATION,
    CONFUSION,
    HISTOGRAM_NEGATIVE,
    HISTOGRAM_POSITIVE,
    SCORE_UNITS,
)

FloatVector = NDArray[np.float64]
# A score of one half or more predicts the outcome.
THRESHOLD = 0.5


def metric_counts(
    scores: FloatVector, labels: FloatVector, *, histogram_bins: int, calibration_bins: int
) -> dict[str, FloatVector]:
    """Return histograms by class, confusion counts and the calibration table.

    Parameters
    ----------
    scores : float64 array, shape (rows,)
        Predicted probabilities in [0, 1].
    labels : float64 array, shape (rows,)
        0.0 or 1.0.
    histogram_bins, calibration_bins : int
        Equal bins of [0, 1]; 1 belongs to the last.

    Returns
    -------
    dict by slice name: two histograms, [true positives, false positives, false negatives, true
    negatives], and per calibration bin [rows, positives, sum of scores in 1/1024ths], flattened
    """
    return {
        HISTOGRAM_NEGATIVE: _count(_bins(scores[labels == 0], histogram_bins), histogram_bins),
        HISTOGRAM_POSITIVE: _count(_bins(scores[labels == 1], histogram_bins), histogram_bins),
        CONFUSION: _confusion(scores >= THRESHOLD, labels == 1),
        CALIBRATION: _calibration(scores, labels, calibration_bins),
    }


def _bins(scores: FloatVector, bins: int) -> NDArray[np.intp]:
    return np.minimum((scores * bins).astype(np.intp), bins - 1)


def _count(places: NDArray[np.intp], bins: int, weights: FloatVector | None = None) -> FloatVector:
    return np.bincount(places, weights, minlength=bins).astype(np.float64)


def _confusion(predicted: NDArray[np.bool_], actual: NDArray[np.bool_]) -> FloatVector:
    cells = (predicted & actual, predicted & ~actual, ~predicted & actual, ~predicted & ~actual)
    return np.array([np.count_nonzero(cell) for cell in cells], dtype=np.float64)


def _calibration(scores: FloatVector, labels: FloatVector, bins: int) -> FloatVector:
    places = _bins(scores, bins)
    sums = _count(places, bins, np.rint(scores * SCORE_UNITS))
    return np.stack([_count(places, bins), _count(places, bins, labels), sums], axis=1).reshape(-1)
