"""The plan's code: a pure function from incoming weights and rows to one plain vector.

It runs in a process without keys and network. It neither clips nor masks: the trusted runner does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.federated.algorithms.base import descend
from training.federated.algorithms.counts import metric_counts
from training.federated.algorithms.features import Matrix, Row, design_matrix
from training.federated.algorithms.targets import outcomes
from training.federated.errors import RowFormatError
from training.federated.layout import WEIGHT, WEIGHTED_UPDATE
from training.federated.plan import TrainingPlan
from training.federated.weights import load_weights


@dataclass(frozen=True, slots=True)
class TrainTask:
    """One site's training in one round: the plan and the round's incoming weights (canonical safetensors)."""

    plan: TrainingPlan
    weights: bytes


def train(task: TrainTask, rows: Sequence[Row]) -> NDArray[np.float64]:
    """Train on the rows and return the plain vector of `plan.layout()`.

    The weight is the number of rows; metric counts are of the incoming weights, so that summed over
    the sites they describe the round's global model. A plan with measured features spends its first
    round on their moments (`algorithms.moments`); until they are there measured columns count as 0,
    so that round's metrics are of a model that has seen nothing.

    Returns
    -------
    float64 array, shape (layout.size,)
        [weight * (new - incoming), weight, metric counts]; no row lacks its target

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
    raw, labels = design_matrix(plan.features, rows), outcomes(plan.target, rows)
    model, block = incoming[: plan.model_size], incoming[plan.model_size :]
    matrix = plan.moments.standardize(raw, block)
    change = _measured(plan, raw, block) if plan.moments.is_due(block) else _trained(plan, model, matrix, labels)
    counts = metric_counts(
        plan.algorithm.predict(model, matrix),
        labels,
        histogram_bins=plan.histogram_bins,
        calibration_bins=plan.calibration_bins,
    )
    weight = float(len(rows))
    return plan.layout().join({WEIGHTED_UPDATE: weight * change, WEIGHT: np.array([weight]), **counts})


def score_rows(plan: TrainingPlan, weights: bytes, rows: Sequence[Row]) -> NDArray[np.float64]:
    """Return the probability of the outcome for each row; rows need the features, not the target."""
    loaded = load_weights(weights, plan.weight_count)
    matrix = plan.moments.standardize(design_matrix(plan.features, rows), loaded[plan.model_size :])
    return plan.algorithm.predict(loaded[: plan.model_size], matrix)


def _measured(plan: TrainingPlan, raw: Matrix, block: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the update of the round that measures: the moments alone."""
    return np.concatenate([np.zeros(plan.model_size), plan.moments.measure(raw) - block])


def _trained(
    plan: TrainingPlan, model: NDArray[np.float64], matrix: Matrix, labels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the update of any other round: the model alone."""
    trained = descend(
        plan.algorithm,
        model,
        matrix,
        labels,
        learning_rate=plan.learning_rate,
        steps=plan.local_steps,
        penalty=plan.penalty,
    )
    return np.concatenate([trained - model, np.zeros(plan.moments.size)])
