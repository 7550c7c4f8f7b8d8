"""The training section of a plan: what is learned, from which columns, within which bounds."""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from training.federated.algorithms.base import Algorithm
from training.federated.algorithms.features import Feature
from training.federated.algorithms.logistic_regression import NAME as LOGISTIC_REGRESSION
from training.federated.algorithms.logistic_regression import LogisticRegression
from training.federated.algorithms.moments import Moments
from training.federated.algorithms.perceptron import MAX_HIDDEN_UNITS, Perceptron
from training.federated.algorithms.perceptron import NAME as PERCEPTRON
from training.federated.algorithms.targets import Target
from training.federated.errors import PlanFormatError, WireFormatError
from training.federated.layout import VectorLayout, make_layout
from training.federated.plan_columns import read_feature, read_number, read_target
from training.federated.secagg.parameters import MAX_SITES
from training.federated.weights import dump_weights, initial_values
from training.federated.wire import read_integer, read_list, read_object

ALGORITHMS: Final = (LOGISTIC_REGRESSION, PERCEPTRON)
_KEYS: Final = (
    "algorithm",
    "features",
    "target",
    "learning_rate",
    "local_steps",
    "penalty",
    "clip_bound",
    "max_rows",
    "max_sites",
    "ring_bits",
    "histogram_bins",
    "calibration_bins",
)
_MAX_FEATURES: Final = 1000


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What every site computes in a round.

    Parameters
    ----------
    algorithm : Algorithm
    features : tuple of Feature
    target : Target
    learning_rate : float
        Step of one full-batch gradient descent.
    local_steps : int
        Gradient steps a round.
    penalty : float
        L2 penalty on all coefficients but the intercept, 0 for none.
    clip_bound : float
        Largest Euclidean norm of weight times update that a site sends.
    max_rows : int
        Largest weight: rows of one site in one round.
    max_sites : int
        Largest roster; with clip_bound and max_rows it proves that no sum overflows.
    ring_bits : int
        32 or 64.
    histogram_bins, calibration_bins : int
        Bins of [0, 1] for the score histograms (at least 512) and the calibration curve.
    """

    algorithm: Algorithm
    features: tuple[Feature, ...]
    target: Target
    learning_rate: float
    local_steps: int
    penalty: float
    clip_bound: float
    max_rows: int
    max_sites: int
    ring_bits: int
    histogram_bins: int
    calibration_bins: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the design matrix' columns without the intercept, in the weights' order."""
        return tuple(column for feature in self.features for column in feature.columns)

    @property
    def moments(self) -> Moments:
        """The block of pooled moments behind the model's coefficients; empty if no feature is measured."""
        return Moments.of(self.features)

    @property
    def model_size(self) -> int:
        """Coefficients of the model itself, intercepts among them."""
        return self.algorithm.weight_count(len(self.columns) + 1)

    @property
    def weight_count(self) -> int:
        """Coordinates of the weights: the model's, then the moments'."""
        return self.model_size + self.moments.size

    def initial_weights(self, run: uuid.UUID) -> bytes:
        """Return a run's initial weights: the derived ones, scaled as the algorithm says; the moments are 0."""
        derived = initial_values(run, self.model_size) * self.algorithm.initial_scale(len(self.columns) + 1)
        return dump_weights(np.concatenate([derived, np.zeros(self.moments.size)]))

    def layout(self) -> VectorLayout:
        """Return the vector's layout; `QuantizationError` with its numbers if a sum could overflow."""
        return make_layout(
            weights=self.weight_count,
            clip_bound=self.clip_bound,
            max_rows=self.max_rows,
            max_sites=self.max_sites,
            ring_bits=self.ring_bits,
            histogram_bins=self.histogram_bins,
            calibration_bins=self.calibration_bins,
        )


def parse_training_plan(value: object) -> TrainingPlan:
    """Read the plan's training section, refusing unknown keys, wrong types and values outside their range.

    Raises
    ------
    PlanFormatError
        Naming the key.
    QuantizationError
        If the bounds do not fit the ring.
    """
    try:
        plan = _parse(value)
    except WireFormatError as error:
        raise PlanFormatError(error.message) from error
    plan.layout()
    _ensure_measurable(plan)
    return plan


def _parse(value: object) -> TrainingPlan:
    named = value.get("algorithm") if isinstance(value, dict) else None
    keys = (*_KEYS, "hidden_units") if named == PERCEPTRON else _KEYS
    fields = read_object(value, keys, what="training section of a plan")
    features = tuple(
        read_feature(item) for item in read_list(fields["features"], what="features", max_items=_MAX_FEATURES)
    )
    names = [feature.name for feature in features]
    target = read_target(fields["target"])
    if not names or len(set(names)) != len(names) or target.name in names:
        raise PlanFormatError("Features are named once each, at least one, and the target is not among them.")
    return TrainingPlan(
        algorithm=_algorithm(fields),
        features=features,
        target=target,
        learning_rate=read_number(fields, "learning_rate", positive=True),
        local_steps=_integer(fields, "local_steps", 1, 10_000),
        penalty=read_number(fields, "penalty"),
        clip_bound=read_number(fields, "clip_bound", positive=True),
        max_rows=_integer(fields, "max_rows", 1, 100_000_000),
        max_sites=_integer(fields, "max_sites", 1, MAX_SITES),
        ring_bits=_integer(fields, "ring_bits", 32, 64),
        histogram_bins=_integer(fields, "histogram_bins", 512, 65_536),
        calibration_bins=_integer(fields, "calibration_bins", 1, 1000),
    )


def _algorithm(fields: Mapping[str, object]) -> Algorithm:
    if fields["algorithm"] == LOGISTIC_REGRESSION:
        return LogisticRegression()
    if fields["algorithm"] == PERCEPTRON:
        return Perceptron(_integer(fields, "hidden_units", 1, MAX_HIDDEN_UNITS))
    raise PlanFormatError(f"The algorithm is one of {', '.join(ALGORITHMS)}.")


def _ensure_measurable(plan: TrainingPlan) -> None:
    """Clipped moments would be wrong for everybody, and nobody would see it."""
    needed = plan.max_rows * plan.moments.largest_change
    if plan.clip_bound < needed:
        raise PlanFormatError(
            f"clip_bound could clip the round that measures: with max_rows {plan.max_rows} it is at least "
            f"{math.ceil(needed)}."
        )


def _integer(fields: Mapping[str, object], key: str, minimum: int, maximum: int) -> int:
    return read_integer(fields[key], what=key, minimum=minimum, maximum=maximum)
