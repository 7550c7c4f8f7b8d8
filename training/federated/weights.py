"""Weights as one float64 vector: the initial ones of a run, and their canonical bytes."""

import hashlib
import uuid
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.federated import tensors

FloatVector = NDArray[np.float64]

TENSOR: Final = "weights"
# Small against the effect of one round, and still different for each run.
INITIAL_SCALE: Final = 0.01
_TAG: Final = b"consilium/initial-weights/1"


def initial_weights(run: uuid.UUID, size: int) -> bytes:
    """Return the run's initial weights: nobody chooses them, everybody derives them.

    Coordinate i is (2 u - 1) * 0.01 with u = k / 2**53 and k the first 53 bits, big-endian, of
    SHA-256(tag || 16 bytes of the run id || i as 8 bytes big-endian). Every operation is exact or
    correctly rounded in IEEE 754, so the bytes are the same on every machine. A plan's own, which
    may scale coordinates, are `TrainingPlan.initial_weights`.

    Returns
    -------
    bytes
        Canonical safetensors with the tensor `weights`, float64, shape (size,).
    """
    return dump_weights(initial_values(run, size))


def initial_values(run: uuid.UUID, size: int) -> FloatVector:
    """Return the vector of `initial_weights`."""
    values = [_uniform(run, i) for i in range(size)]
    return (2.0 * np.array(values, dtype=np.float64) - 1.0) * INITIAL_SCALE


def dump_weights(weights: FloatVector) -> bytes:
    tensors.ensure_finite(weights, what="the weights")
    return tensors.dump({TENSOR: weights})


def load_weights(data: bytes, size: int) -> FloatVector:
    """Return the weights, shape (size,); refuse another form, shape, type, NaN or infinity."""
    weights = tensors.load(data, expected={TENSOR: ("<f8", (size,))})[TENSOR]
    tensors.ensure_finite(weights, what="the weights")
    return weights


def _uniform(run: uuid.UUID, index: int) -> float:
    raw = hashlib.sha256(_TAG + run.bytes + index.to_bytes(8, "big")).digest()
    return float((int.from_bytes(raw[:8], "big") >> 11) / 2**53)
