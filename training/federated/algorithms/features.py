"""From rows to a design matrix, by rules that the plan declares and no data decides.

Scaling is fixed in the plan: statistics taken from records would be a disclosure of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.federated.errors import RowFormatError

Row = Mapping[str, object]
Matrix = NDArray[np.float64]


class Feature(Protocol):
    """One declared feature: the column it reads and the columns of the design matrix it makes."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    def encode(self, value: object) -> tuple[float, ...]: ...


@dataclass(frozen=True, slots=True)
class NumericFeature:
    """(value - offset) / scale, with offset and scale from the plan."""

    name: str
    offset: float
    scale: float

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.name,)

    def encode(self, value: object) -> tuple[float, ...]:
        return ((read_number(self.name, value) - self.offset) / self.scale,)


@dataclass(frozen=True, slots=True)
class BinaryFeature:
    """0 or 1, also written as a Boolean."""

    name: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.name,)

    def encode(self, value: object) -> tuple[float, ...]:
        if not isinstance(value, bool | int | float) or value not in (0, 1):
            raise RowFormatError(f"Feature {self.name} is neither 0 nor 1 in a row; mend the data set.")
        return (float(value),)


@dataclass(frozen=True, slots=True)
class CategoricalFeature:
    """One column a category but the first, which is the reference, so that the model stays identifiable."""

    name: str
    categories: tuple[str | int, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(f"{self.name}={category}" for category in self.categories[1:])

    def encode(self, value: object) -> tuple[float, ...]:
        if value not in self.categories:
            raise RowFormatError(f"Feature {self.name} has a category in a row that the plan does not declare.")
        return tuple(float(value == category) for category in self.categories[1:])


@dataclass(frozen=True, slots=True)
class ThresholdTarget:
    """The outcome: whether a numeric column is greater than a threshold."""

    name: str
    greater_than: float

    def encode(self, value: object) -> float:
        return float(read_number(self.name, value) > self.greater_than)


def design_matrix(features: Sequence[Feature], rows: Sequence[Row]) -> Matrix:
    """Return the matrix, shape (rows, columns + 1); the last column is the intercept's 1.

    Raises
    ------
    RowFormatError
        Naming feature and rule, never the value.
    """
    width = sum(len(feature.columns) for feature in features) + 1
    matrix = np.ones((len(rows), width))
    for i, row in enumerate(rows):
        matrix[i, :-1] = [x for feature in features for x in feature.encode(_value(row, feature.name))]
    return matrix


def outcomes(target: ThresholdTarget, rows: Sequence[Row]) -> NDArray[np.float64]:
    """Return 0.0 or 1.0 a row, shape (rows,)."""
    return np.array([target.encode(_value(row, target.name)) for row in rows], dtype=np.float64)


def read_number(name: str, value: object) -> float:
    """Return a finite number; text and Booleans are refused."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not np.isfinite(value):
        raise RowFormatError(f"Column {name} is not a finite number in a row; mend the data set.")
    return float(value)


def _value(row: Row, name: str) -> object:
    if name not in row:
        raise RowFormatError(f"Column {name} is not in the data set; the plan names an unknown feature.")
    return row[name]
