"""What an algorithm is: a score for each row, and the gradient of its loss, over one flat vector of coefficients."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.federated.algorithms.features import Matrix

FloatVector = NDArray[np.float64]


class Algorithm(Protocol):
    """Full-batch gradient descent in float64 needs no more; `columns` counts the intercept's, which is the last."""

    @property
    def name(self) -> str: ...

    def weight_count(self, columns: int) -> int:
        """Return how many coefficients there are."""
        ...

    def initial_scale(self, columns: int) -> FloatVector:
        """Return what each derived initial coefficient is multiplied by, shape (weight_count,)."""
        ...

    def penalized(self, columns: int) -> FloatVector:
        """Return 1.0 for each coefficient that the penalty shrinks and 0.0 for intercepts."""
        ...

    def predict(self, weights: FloatVector, matrix: Matrix) -> FloatVector:
        """Return the probability of the outcome a row."""
        ...

    def gradient(self, weights: FloatVector, matrix: Matrix, labels: FloatVector) -> FloatVector:
        """Return the gradient of the mean log loss."""
        ...


def descend(
    algorithm: Algorithm,
    weights: FloatVector,
    matrix: Matrix,
    labels: FloatVector,
    *,
    learning_rate: float,
    steps: int,
    penalty: float,
) -> FloatVector:
    """Return the weights after gradient steps on the mean log loss plus penalty/2 * |penalized coefficients|^2.

    Parameters
    ----------
    algorithm : Algorithm
    weights : float64 array, shape (algorithm.weight_count(columns),)
    matrix : float64 array, shape (rows, columns)
        The last column is the intercept's.
    labels : float64 array, shape (rows,)
    """
    current = weights.copy()
    shrink = penalty * algorithm.penalized(matrix.shape[1])
    for _ in range(steps):
        current -= learning_rate * (algorithm.gradient(current, matrix, labels) + shrink * current)
    return current


def logistic(values: FloatVector) -> FloatVector:
    """Return 1 / (1 + exp(-x)), written with tanh so that it neither overflows nor warns."""
    return 0.5 * (1.0 + np.tanh(0.5 * values))
