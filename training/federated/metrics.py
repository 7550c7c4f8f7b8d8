"""Metrics from pooled counts, and the exact value that a referee with all rows can set beside them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.federated.errors import MetricUndefinedError
from training.federated.layout import (
    CALIBRATION,
    CONFUSION,
    HISTOGRAM_NEGATIVE,
    HISTOGRAM_POSITIVE,
    SCORE_UNITS,
)

FloatVector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BoundedValue:
    """A value and how far the exact one can lie from it."""

    value: float
    error_bound: float


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Rows whose score fell into one bin: how many, their mean score, the share with the outcome."""

    rows: int
    mean_score: float
    observed_share: float


@dataclass(frozen=True, slots=True)
class PooledMetrics:
    """What a round's summed counts say about its incoming weights."""

    rows: int
    auc: BoundedValue
    accuracy: float
    calibration: tuple[CalibrationBin, ...]
    calibration_error: float


def pooled_metrics(sums: Mapping[str, FloatVector]) -> PooledMetrics:
    """Return the metrics of decoded sums (`VectorLayout.decode`); bins without rows are left out."""
    curve = calibration_curve(sums[CALIBRATION])
    return PooledMetrics(
        rows=int(sums[CONFUSION].sum()),
        auc=pooled_auc(sums[HISTOGRAM_NEGATIVE], sums[HISTOGRAM_POSITIVE]),
        accuracy=accuracy(sums[CONFUSION]),
        calibration=curve,
        calibration_error=calibration_error(curve),
    )


def pooled_auc(negative: FloatVector, positive: FloatVector) -> BoundedValue:
    """Return the area under the ROC curve from histograms by class.

    Pairs in different bins are ordered exactly; each pair within one bin counts one half, and can
    truly count 0 to 1, so the error is at most half the share of such pairs.

    Raises
    ------
    MetricUndefinedError
        If a class is empty.
    """
    pairs = float(negative.sum() * positive.sum())
    if pairs == 0:
        raise MetricUndefinedError("The area under the curve needs rows of both classes.")
    below = np.cumsum(negative) - negative
    within = float(negative @ positive)
    return BoundedValue((float(below @ positive) + 0.5 * within) / pairs, 0.5 * within / pairs)


def exact_auc(scores: FloatVector, labels: FloatVector) -> float:
    """Return the Mann-Whitney statistic over all pairs, ties one half (Hanley and McNeil 1982)."""
    negative, positive = np.sort(scores[labels == 0]), scores[labels == 1]
    if not (negative.size and positive.size):
        raise MetricUndefinedError("The area under the curve needs rows of both classes.")
    below = np.searchsorted(negative, positive, side="left")
    up_to = np.searchsorted(negative, positive, side="right")
    return float((below + up_to).sum() / (2.0 * negative.size * positive.size))


def accuracy(confusion: FloatVector) -> float:
    """Return the share of right predictions from [tp, fp, fn, tn]."""
    if confusion.sum() == 0:
        raise MetricUndefinedError("Accuracy needs at least one row.")
    return float((confusion[0] + confusion[3]) / confusion.sum())


def calibration_curve(table: FloatVector) -> tuple[CalibrationBin, ...]:
    """Return the non-empty bins of a flattened table of [rows, positives, score sum]."""
    return tuple(
        CalibrationBin(int(rows), float(scores / SCORE_UNITS / rows), float(positives / rows))
        for rows, positives, scores in table.reshape(-1, 3)
        if rows
    )


def calibration_error(curve: tuple[CalibrationBin, ...]) -> float:
    """Return the expected calibration error: mean distance of score and share, weighted by rows."""
    rows = sum(entry.rows for entry in curve)
    if not rows:
        raise MetricUndefinedError("Calibration needs at least one row.")
    return float(sum(entry.rows * abs(entry.mean_score - entry.observed_share) for entry in curve)) / rows
