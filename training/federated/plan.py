"""The training section of a plan: what is learned, from which columns, within which bounds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from training.federated.algorithms.features import (
    BinaryFeature,
    CategoricalFeature,
    Feature,
    NumericFeature,
    ThresholdTarget,
)
from training.federated.errors import PlanFormatError, WireFormatError
from training.federated.layout import VectorLayout, make_layout
from training.federated.secagg.parameters import MAX_SITES
from training.federated.wire import read_integer, read_list, read_object

ALGORITHM: Final = "logistic_regression"
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
_MAX_CATEGORIES: Final = 1000


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What every site computes in a round.

    Parameters
    ----------
    features : tuple of Feature
    target : ThresholdTarget
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

    features: tuple[Feature, ...]
    target: ThresholdTarget
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
    def weight_count(self) -> int:
        """Coefficients and the intercept, which is the last."""
        return len(self.columns) + 1

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
        plan = _parse(read_object(value, _KEYS, what="training section of a plan"))
    except WireFormatError as error:
        raise PlanFormatError(error.message) from error
    plan.layout()
    return plan


def _parse(fields: Mapping[str, object]) -> TrainingPlan:
    if fields["algorithm"] != ALGORITHM:
        raise PlanFormatError(f"The only algorithm so far is {ALGORITHM}.")
    features = tuple(_feature(item) for item in read_list(fields["features"], what="features", max_items=_MAX_FEATURES))
    names = [feature.name for feature in features]
    target = _target(fields["target"])
    if not names or len(set(names)) != len(names) or target.name in names:
        raise PlanFormatError("Features are named once each, at least one, and the target is not among them.")
    return TrainingPlan(
        features=features,
        target=target,
        learning_rate=_number(fields, "learning_rate", positive=True),
        local_steps=_integer(fields, "local_steps", 1, 10_000),
        penalty=_number(fields, "penalty"),
        clip_bound=_number(fields, "clip_bound", positive=True),
        max_rows=_integer(fields, "max_rows", 1, 100_000_000),
        max_sites=_integer(fields, "max_sites", 1, MAX_SITES),
        ring_bits=_integer(fields, "ring_bits", 32, 64),
        histogram_bins=_integer(fields, "histogram_bins", 512, 65_536),
        calibration_bins=_integer(fields, "calibration_bins", 1, 1000),
    )


def _feature(value: object) -> Feature:
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "numeric":
        fields = read_object(value, ("name", "kind", "offset", "scale"), what="numeric feature")
        scale = _number(fields, "scale", positive=True)
        return NumericFeature(_name(fields), _number(fields, "offset", signed=True), scale)
    if kind == "binary":
        return BinaryFeature(_name(read_object(value, ("name", "kind"), what="binary feature")))
    if kind == "categorical":
        fields = read_object(value, ("name", "kind", "categories"), what="categorical feature")
        return CategoricalFeature(_name(fields), _categories(fields["categories"]))
    raise PlanFormatError("A feature is of kind numeric, binary or categorical.")


def _target(value: object) -> ThresholdTarget:
    fields = read_object(value, ("name", "greater_than"), what="target")
    return ThresholdTarget(_name(fields), _number(fields, "greater_than", signed=True))


def _categories(value: object) -> tuple[str | int, ...]:
    items = read_list(value, what="categories", max_items=_MAX_CATEGORIES)
    if not all(isinstance(item, str | int) and not isinstance(item, bool) for item in items):
        raise PlanFormatError("Categories are texts or whole numbers.")
    if len(items) < 2 or len(set(items)) != len(items):
        raise PlanFormatError("Categories are at least two and all different.")
    return cast("tuple[str | int, ...]", tuple(items))


def _name(fields: Mapping[str, object]) -> str:
    name = fields["name"]
    if not isinstance(name, str) or not 0 < len(name) <= 100:
        raise PlanFormatError("A column's name is text of 1 to 100 characters.")
    return name


def _integer(fields: Mapping[str, object], key: str, minimum: int, maximum: int) -> int:
    return read_integer(fields[key], what=key, minimum=minimum, maximum=maximum)


def _number(fields: Mapping[str, object], key: str, *, positive: bool = False, signed: bool = False) -> float:
    value = fields[key]
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise PlanFormatError(f"{key} is a finite number.")
    if (positive and value <= 0) or (not signed and value < 0):
        raise PlanFormatError(f"{key} is {'greater than' if positive else 'at least'} zero.")
    return float(value)
