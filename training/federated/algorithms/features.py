"""From rows to a design matrix, by rules that the plan declares and no site's data decides.

Scaling is fixed in the plan, or taken from moments that were pooled under secure aggregation
(`algorithms.moments`): one site's statistics would be a disclosure of their own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.federated.algorithms.missing import CATEGORY, NONE_MISSING, MissingRule
from training.federated.errors import RowFormatError

Row = Mapping[str, object]
Matrix = NDArray[np.float64]


class Feature(Protocol):
    """One declared feature: the column it reads and the columns of the design matrix it makes."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def missing(self) -> MissingRule: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    def encode(self, value: object) -> tuple[float, ...]: ...


@dataclass(frozen=True, slots=True)
class NumericFeature:
    """(value - offset) / scale, with offset and scale from the plan."""

    name: str
    offset: float
    scale: float
    missing: MissingRule = NONE_MISSING

    @property
    def kind(self) -> str:
        return "numeric"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.name, *self.missing.indicator_column(self.name))

    def encode(self, value: object) -> tuple[float, ...]:
        number = read_number(self.name, self.missing.fill(self.name, value))
        return ((number - self.offset) / self.scale, *self.missing.indicator(value))


@dataclass(frozen=True, slots=True)
class MeasuredFeature:
    """A number between public bounds, mapped to [0, 1] here and standardized with pooled moments afterwards.

    A value outside the bounds is refused, or moved to the nearer one if `clips`. What the rule `mean` stands in for
    is NaN until then.
    """

    name: str
    minimum: float
    maximum: float
    clips: bool = False
    missing: MissingRule = NONE_MISSING

    @property
    def kind(self) -> str:
        return "numeric"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.name, *self.missing.indicator_column(self.name))

    def encode(self, value: object) -> tuple[float, ...]:
        filled = self.missing.fill(self.name, value)
        scaled = math.nan if filled is None else self._scale(read_number(self.name, filled))
        return (scaled, *self.missing.indicator(value))

    def _scale(self, number: float) -> float:
        if not self.clips and not self.minimum <= number <= self.maximum:
            below = number < self.minimum
            bound = (
                f"below the plan's minimum of {self.minimum:g}" if below else f"above its maximum of {self.maximum:g}"
            )
            raise RowFormatError(
                f"Column {self.name} lies {bound} in a row. Mend the data set, or draft a plan with wider bounds or "
                'with "outside": "clip".'
            )
        return (min(max(number, self.minimum), self.maximum) - self.minimum) / (self.maximum - self.minimum)


@dataclass(frozen=True, slots=True)
class BinaryFeature:
    """0 or 1, also written as a Boolean."""

    name: str
    missing: MissingRule = NONE_MISSING

    @property
    def kind(self) -> str:
        return "binary"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.name, *self.missing.indicator_column(self.name))

    def encode(self, value: object) -> tuple[float, ...]:
        return (read_bit(self.name, self.missing.fill(self.name, value)), *self.missing.indicator(value))


@dataclass(frozen=True, slots=True)
class CategoricalFeature:
    """One column a category but the first, which is the reference, so that the model stays identifiable.

    With the rule `category` a missing value is one more category.
    """

    name: str
    categories: tuple[str | int, ...]
    missing: MissingRule = NONE_MISSING

    @property
    def kind(self) -> str:
        return "categorical"

    @property
    def columns(self) -> tuple[str, ...]:
        own = (f"{self.name} missing",) if self._has_own else ()
        return (*(f"{self.name}={category}" for category in self.categories[1:]), *own)

    def encode(self, value: object) -> tuple[float, ...]:
        filled = self.missing.fill(self.name, value)
        is_own = self._has_own and filled is None
        if not is_own and filled not in self.categories:
            raise RowFormatError(f"Feature {self.name} has a category in a row that the plan does not declare.")
        own = (float(is_own),) if self._has_own else ()
        return (*(float(filled == category) for category in self.categories[1:]), *own)

    @property
    def _has_own(self) -> bool:
        return self.missing.rule == CATEGORY


def design_matrix(features: Sequence[Feature], rows: Sequence[Row]) -> Matrix:
    """Return the matrix, shape (rows, columns + 1); the last column is the intercept's 1.

    Columns of measured features lie in [0, 1], NaN where a mean is to stand in; `Moments.standardize` is next.

    Raises
    ------
    RowFormatError
        Naming feature and rule, never the value.
    """
    width = sum(len(feature.columns) for feature in features) + 1
    matrix = np.ones((len(rows), width))
    for i, row in enumerate(rows):
        matrix[i, :-1] = [x for feature in features for x in feature.encode(value_of(row, feature.name))]
    return matrix


def read_number(name: str, value: object) -> float:
    """Return a finite number; text and Booleans are refused."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not np.isfinite(value):
        raise RowFormatError(f"Column {name} is not a finite number in a row; mend the data set.")
    return float(value)


def read_bit(name: str, value: object) -> float:
    """Return 0.0 or 1.0, also for a Boolean."""
    if not isinstance(value, bool | int | float) or value not in (0, 1):
        raise RowFormatError(f"Feature {name} is neither 0 nor 1 in a row; mend the data set.")
    return float(value)


def value_of(row: Row, name: str) -> object:
    """Return a row's value in a column that it has to have."""
    if name not in row:
        raise RowFormatError(f"Column {name} is not in the data set; the plan names an unknown feature.")
    return row[name]
