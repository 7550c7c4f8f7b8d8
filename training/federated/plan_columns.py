"""The columns of a plan's training section: features with their rules, and the target, read strictly."""

import math
from collections.abc import Mapping, Sequence
from typing import Final, cast

from training.federated.algorithms.features import (
    BinaryFeature,
    CategoricalFeature,
    Feature,
    MeasuredFeature,
    NumericFeature,
)
from training.federated.algorithms.missing import CATEGORY, MEAN, NONE_MISSING, REFUSE, VALUE, MissingRule
from training.federated.algorithms.targets import BinaryTarget, CategoryTarget, Target, ThresholdTarget
from training.federated.errors import PlanFormatError, RowFormatError
from training.federated.wire import read_list, read_object

_MAX_CATEGORIES: Final = 1000
CLIP: Final = "clip"
Fields = Mapping[str, object]


def read_feature(value: object) -> Feature:
    """Read one feature; its optional keys are `missing`, `indicator`, and `outside` of a measured one."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "numeric":
        return _measured(value) if "minimum" in cast("Fields", value) else _numeric(value)
    if kind == "binary":
        fields = _fields(value, ("name", "kind"), ("missing", "indicator"), "binary feature")
        return _usable(BinaryFeature(read_name(fields), _missing(fields, (VALUE,))))
    if kind == "categorical":
        fields = _fields(value, ("name", "kind", "categories"), ("missing",), "categorical feature")
        categories = _categories(fields["categories"])
        return _usable(CategoricalFeature(read_name(fields), categories, _missing(fields, (CATEGORY, VALUE))))
    raise PlanFormatError("A feature is of kind numeric, binary or categorical.")


def read_target(value: object) -> Target:
    """Read the target: a numeric column above a threshold, a binary column, or one category of a column."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "binary":
        return BinaryTarget(read_name(read_object(value, ("name", "kind"), what="binary target")))
    if kind == "categorical":
        fields = read_object(value, ("name", "kind", "equals"), what="categorical target")
        return CategoryTarget(read_name(fields), _category(fields["equals"]))
    fields = read_object(value, ("name", "greater_than"), what="target")
    return ThresholdTarget(read_name(fields), read_number(fields, "greater_than", signed=True))


def read_name(fields: Fields) -> str:
    name = fields["name"]
    if not isinstance(name, str) or not 0 < len(name) <= 100:
        raise PlanFormatError("A column's name is text of 1 to 100 characters.")
    return name


def read_number(fields: Fields, key: str, *, positive: bool = False, signed: bool = False) -> float:
    """Return a finite number: any if signed, greater than 0 if positive, else at least 0."""
    value = fields[key]
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise PlanFormatError(f"{key} is a finite number.")
    if (positive and value <= 0) or (not signed and value < 0):
        raise PlanFormatError(f"{key} is {'greater than' if positive else 'at least'} zero.")
    return float(value)


def _numeric(value: object) -> Feature:
    fields = _fields(value, ("name", "kind", "offset", "scale"), ("missing", "indicator"), "numeric feature")
    scale = read_number(fields, "scale", positive=True)
    offset = read_number(fields, "offset", signed=True)
    return _usable(NumericFeature(read_name(fields), offset, scale, _missing(fields, (VALUE,))))


def _measured(value: object) -> Feature:
    keys = ("name", "kind", "minimum", "maximum")
    fields = _fields(value, keys, ("outside", "missing", "indicator"), "numeric feature")
    minimum, maximum = (read_number(fields, key, signed=True) for key in ("minimum", "maximum"))
    if not (minimum < maximum and math.isfinite(maximum - minimum)):
        raise PlanFormatError("A feature's minimum lies below its maximum.")
    if fields.get("outside", CLIP) != CLIP:
        raise PlanFormatError(f'outside is "{CLIP}"; left out, a value outside the bounds is refused.')
    return _usable(
        MeasuredFeature(read_name(fields), minimum, maximum, "outside" in fields, _missing(fields, (MEAN, VALUE)))
    )


def _missing(fields: Fields, rules: Sequence[str]) -> MissingRule:
    """Read the rule for missing values; `rules` are those that fit the feature besides `refuse`."""
    given, has_indicator = fields.get("missing", REFUSE), "indicator" in fields
    if has_indicator and (fields["indicator"] is not True or given == REFUSE):
        raise PlanFormatError("indicator is true beside a rule for missing values, or left out.")
    if isinstance(given, dict):
        constant = read_object(given, (VALUE,), what="rule for missing values")[VALUE]
        if VALUE in rules and isinstance(constant, str | int | float):
            return MissingRule(VALUE, constant, has_indicator)
    elif given == REFUSE:
        return NONE_MISSING
    elif given in rules:
        return MissingRule(str(given), None, has_indicator)
    known = ", ".join([f'"{REFUSE}"', *(f'"{rule}"' for rule in rules if rule != VALUE), f'{{"{VALUE}": ...}}'])
    raise PlanFormatError(f"missing of {read_name(fields)} is one of {known}.")


def _usable(feature: Feature) -> Feature:
    """Refuse a constant that the feature itself would refuse."""
    if feature.missing.allows:
        try:
            feature.encode(None)
        except RowFormatError as error:
            raise PlanFormatError(f"missing of {feature.name} is no value of its kind: {error.message}") from error
    return feature


def _fields(value: object, keys: Sequence[str], optional: Sequence[str], what: str) -> Fields:
    given = value if isinstance(value, dict) else {}
    return read_object(value, (*keys, *(key for key in optional if key in given)), what=what)


def _categories(value: object) -> tuple[str | int, ...]:
    items = tuple(_category(item) for item in read_list(value, what="categories", max_items=_MAX_CATEGORIES))
    if len(items) < 2 or len(set(items)) != len(items):
        raise PlanFormatError("Categories are at least two and all different.")
    return items


def _category(value: object) -> str | int:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise PlanFormatError("Categories are texts or whole numbers.")
    return value
