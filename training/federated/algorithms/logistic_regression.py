"""Logistic regression by full-batch gradient descent in float64: no randomness, the same rows give the same bits."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from training.federated.algorithms.base import FloatVector, logistic
from training.federated.algorithms.features import Matrix

NAME: Final = "logistic_regression"


@dataclass(frozen=True, slots=True)
class LogisticRegression:
    """One coefficient a column, the intercept's last."""

    @property
    def name(self) -> str:
        return NAME

    def weight_count(self, columns: int) -> int:
        return columns

    def initial_scale(self, columns: int) -> FloatVector:
        return np.ones(columns)

    def penalized(self, columns: int) -> FloatVector:
        mask = np.ones(columns)
        mask[-1] = 0.0
        return mask

    def predict(self, weights: FloatVector, matrix: Matrix) -> FloatVector:
        return logistic(matrix @ weights)

    def gradient(self, weights: FloatVector, matrix: Matrix, labels: FloatVector) -> FloatVector:
        return matrix.T @ (self.predict(weights, matrix) - labels) / len(labels)
