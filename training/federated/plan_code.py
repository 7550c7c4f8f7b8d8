"""The plan's code: a pure function from incoming weights and rows to one plain vector.

It runs in a process without keys and network. It neither clips nor masks: the trusted runner does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.federated.algorithms.counts import metric_counts
from training.federated.algorithms.features import Row, design_matrix, outcomes
from training.federated.algorithms.logistic_regression import descend, load_weights, predict
from training.federated.errors import RowFormatError
from training.federated.layout import WEIGHT, WEIGHTED_UPDATE
from training.federated.plan import TrainingPlan


@dataclass(frozen=True, slots=True)
class TrainTask:
    """One site's training in one round: the plan and the round's incoming weights (canonical safetensors)."""

    plan: TrainingPlan
    weights: bytes


def train(task: TrainTask, rows: Sequence[Row]) -> NDArray[np.float64]:
    """Train on the rows and return the plain vector of `plan.layout()`.

    The weight is the number of rows; metric counts are of the incoming weights, so that summed over
    the sites they describe the round's global model.

    Returns
    -------
    float64 array, shape (layout.size,)
        [weight * (new - incoming), weight, metric counts]

    Raises
    ------
    RowFormatError
        If there is no row, more than the plan's `max_rows`, or one that does not fit the features.
    TensorFormatError, NotFiniteError
        If the incoming weights are not the plan's.
    """
    plan = task.plan
    if not 1 <= len(rows) <= plan.max_rows:
        raise RowFormatError(f"A round takes 1 to {plan.max_rows} rows of a site.")
    incoming = load_weights(task.weights, plan.weight_count)
    matrix, labels = design_matrix(plan.features, rows), outcomes(plan.target, rows)
    trained = descend(
        incoming,
        matrix,
        labels,
        learning_rate=plan.learning_rate,
        steps=plan.local_steps,
        penalty=plan.penalty,
    )
    counts = metric_counts(
        predict(incoming, matrix),
        labels,
        histogram_bins=plan.histogram_bins,
        calibration_bins=plan.calibration_bins,
    )
    weight = float(len(rows))
    return plan.layout().join({WEIGHTED_UPDATE: weight * (trained - incoming), WEIGHT: np.array([weight]), **counts})


def score_rows(plan: TrainingPlan, weights: bytes, rows: Sequence[Row]) -> NDArray[np.float64]:
    """Return the probability of the outcome for each row; rows need the features, not the target."""
    return predict(load_weights(weights, plan.weight_count), design_matrix(plan.features, rows))
