"""A perceptron with one hidden layer of tanh units and a logistic output, for what is not linear."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from training.federated.algorithms.base import FloatVector, logistic
from training.federated.algorithms.features import Matrix
from training.federated.weights import INITIAL_SCALE

NAME: Final = "perceptron"
MAX_HIDDEN_UNITS: Final = 64


class _Layers(NamedTuple):
    """Views into one flat vector: hidden (units, columns), output (units,), the output's intercept (1,)."""

    hidden: Matrix
    output: FloatVector
    intercept: FloatVector


@dataclass(frozen=True, slots=True)
class Perceptron:
    """Coefficients in order: each hidden unit's, its intercept last; the output's one a unit; the output's intercept.

    Parameters
    ----------
    hidden_units : int
        1 to `MAX_HIDDEN_UNITS`.
    """

    hidden_units: int

    @property
    def name(self) -> str:
        return NAME

    def weight_count(self, columns: int) -> int:
        return self.hidden_units * columns + self.hidden_units + 1

    def initial_scale(self, columns: int) -> FloatVector:
        """Spread each layer over [-1, 1] / sqrt(inputs): near zero all units would learn the same, and slowly.

        References
        ----------
        LeCun et al. 1998, "Efficient BackProp", section 4.6.
        """
        scale = np.empty(self.weight_count(columns))
        hidden, output, intercept = self._layers(scale, columns)
        hidden[:] = 1.0 / np.sqrt(columns) / INITIAL_SCALE
        output[:] = 1.0 / np.sqrt(self.hidden_units + 1) / INITIAL_SCALE
        intercept[:] = 1.0
        return scale

    def penalized(self, columns: int) -> FloatVector:
        mask = np.ones(self.weight_count(columns))
        hidden, _output, intercept = self._layers(mask, columns)
        hidden[:, -1] = 0.0
        intercept[:] = 0.0
        return mask

    def predict(self, weights: FloatVector, matrix: Matrix) -> FloatVector:
        hidden, output, intercept = self._layers(weights, matrix.shape[1])
        return logistic(np.tanh(matrix @ hidden.T) @ output + intercept)

    def gradient(self, weights: FloatVector, matrix: Matrix, labels: FloatVector) -> FloatVector:
        hidden, output, intercept = self._layers(weights, matrix.shape[1])
        active = np.tanh(matrix @ hidden.T)
        error = (logistic(active @ output + intercept) - labels) / len(labels)
        behind = error[:, None] * output * (1.0 - active**2)
        return np.concatenate([(behind.T @ matrix).reshape(-1), active.T @ error, [error.sum()]])

    def _layers(self, flat: FloatVector, columns: int) -> _Layers:
        border = self.hidden_units * columns
        return _Layers(flat[:border].reshape(self.hidden_units, columns), flat[border:-1], flat[-1:])
