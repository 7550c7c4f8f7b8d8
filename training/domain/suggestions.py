"""What follows from a few choices in a plan: numbers of secure aggregation, bounds, and each algorithm's steps."""

import math
from collections.abc import Mapping
from typing import Final

from consortium.kernel.bands import EDGES
from training.federated.algorithms.logistic_regression import NAME as LOGISTIC_REGRESSION
from training.federated.algorithms.perceptron import NAME as PERCEPTRON

MOST_ROWS: Final = 100_000_000
HIDDEN_UNITS: Final = 8
# Far above what a local step changes, and far below what the ring holds.
_LARGEST_STEP: Final = 8.0
STEPS: Final[Mapping[str, Mapping[str, float]]] = {
    LOGISTIC_REGRESSION: {"learning_rate": 1.0, "local_steps": 20, "penalty": 0},
    PERCEPTRON: {"learning_rate": 0.5, "local_steps": 20, "penalty": 0.001},
}


def lowest_threshold(sites: int, colluders: int) -> int:
    """Return the least t with 2t > n + c and t - c >= 2, by which the most sites may be lost."""
    return max((sites + colluders) // 2 + 1, colluders + 2)


def most_rows(band: int) -> int:
    """Return the most rows that a table of this band has; the largest band has no end, so as many as a plan takes."""
    following = EDGES.index(band) + 1 if band in EDGES else 0
    return min(EDGES[following] - 1 if following < len(EDGES) else MOST_ROWS, MOST_ROWS)


def clip_bound(max_rows: int, measured: int) -> int:
    """Return a norm that clips no ordinary step, and never the round that measures `measured` columns."""
    return math.ceil(max_rows * max(_LARGEST_STEP, math.sqrt(3 * measured + 1)))
