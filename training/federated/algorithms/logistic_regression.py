"""Logistic regression by full-batch gradient descent in float64: no randomness, the same rows give the same bits."""

import hashlib
import uuid

import numpy as np
from numpy.typing import NDArray

from training.federated import tensors
from training.federated.algorithms.features import Matrix

FloatVector = NDArray[np.float64]

TENSOR = "weights"
# Small against the effect of one round, and still different for each run.
INITIAL_SCALE = 0.01
_TAG = b"consilium/initial-weights/1"


def initial_weights(run: uuid.UUID, size: int) -> bytes:
    """Return the run's initial weights: nobody chooses them, everybody derives them.

    Coordinate i is (2 u - 1) * 0.01 with u = k / 2**53 and k the first 53 bits, big-endian, of
    SHA-256(tag || 16 bytes of the run id || i as 8 bytes big-endian). Every operation is exact or
    correctly rounded in IEEE 754, so the bytes are the same on every machine.

    Returns
    -------
    bytes
        Canonical safetensors with the tensor `weights`, float64, shape (size,), the intercept last.
    """
    values = [_uniform(run, i) for i in range(size)]
    return dump_weights((2.0 * np.array(values, dtype=np.float64) - 1.0) * INITIAL_SCALE)


def dump_weights(weights: FloatVector) -> bytes:
    tensors.ensure_finite(weights, what="the weights")
    return tensors.dump({TENSOR: weights})


def load_weights(data: bytes, size: int) -> FloatVector:
    """Return the weights, shape (size,); refuse another form, shape, type, NaN or infinity."""
    weights = tensors.load(data, expected={TENSOR: ("<f8", (size,))})[TENSOR]
    tensors.ensure_finite(weights, what="the weights")
    return weights


def predict(weights: FloatVector, matrix: Matrix) -> FloatVector:
    """Return the probability of the outcome a row."""
    # the logistic function written with tanh neither overflows nor warns
    return 0.5 * (1.0 + np.tanh(0.5 * (matrix @ weights)))


def descend(
    weights: FloatVector, matrix: Matrix, labels: FloatVector, *, learning_rate: float, steps: int, penalty: float
) -> FloatVector:
    """Return the weights after gradient steps on the mean log loss plus penalty/2 * |coefficients|^2.

    Parameters
    ----------
    weights : float64 array, shape (columns,)
    matrix : float64 array, shape (rows, columns)
        The last column is the intercept's.
    labels : float64 array, shape (rows,)
    """
    current = weights.copy()
    shrink = np.full(current.shape, penalty)
    shrink[-1] = 0.0
    for _ in range(steps):
        gradient = matrix.T @ (predict(current, matrix) - labels) / len(labels) + shrink * current
        current -= learning_rate * gradient
    return current


def _uniform(run: uuid.UUID, index: int) -> float:
    raw = hashlib.sha256(_TAG + run.bytes + index.to_bytes(8, "big")).digest()
    return float((int.from_bytes(raw[:8], "big") >> 11) / 2**53)
