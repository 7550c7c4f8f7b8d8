"""The outcome that a plan learns, 0 or 1 a row, from one column; a row without it is not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.federated.algorithms.features import Row, read_bit, read_number, value_of
from training.federated.errors import RowFormatError


class Target(Protocol):
    """One declared outcome: the column it reads, and what of it counts as 1."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    def encode(self, value: object) -> float: ...


@dataclass(frozen=True, slots=True)
class ThresholdTarget:
    """Whether a numeric column is greater than a threshold."""

    name: str
    greater_than: float

    @property
    def kind(self) -> str:
        return "numeric"

    def encode(self, value: object) -> float:
        return float(read_number(self.name, value) > self.greater_than)


@dataclass(frozen=True, slots=True)
class BinaryTarget:
    """Whether a binary column is 1."""

    name: str

    @property
    def kind(self) -> str:
        return "binary"

    def encode(self, value: object) -> float:
        return read_bit(self.name, value)


@dataclass(frozen=True, slots=True)
class CategoryTarget:
    """Whether a categorical column holds one category."""

    name: str
    equals: str | int

    @property
    def kind(self) -> str:
        return "categorical"

    def encode(self, value: object) -> float:
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise RowFormatError(f"Column {self.name} holds no category in a row; mend the data set.")
        return float(value == self.equals)


def outcomes(target: Target, rows: Sequence[Row]) -> NDArray[np.float64]:
    """Return 0.0 or 1.0 a row, shape (rows,)."""
    return np.array([target.encode(value_of(row, target.name)) for row in rows], dtype=np.float64)
