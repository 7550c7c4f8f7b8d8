"""A masked vector on its way: canonical safetensors, so that one digest names it everywhere."""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from training.federated import tensors
from training.federated.secagg.prg import RING_DTYPES, RingVector

TENSOR = "masked"
# The canonical header of one short tensor stays below this.
_HEADER_ROOM = 512


@dataclass(frozen=True, slots=True)
class MaskedVector:
    """The bytes that a site sends, now and on every retry."""

    organization: uuid.UUID
    data: bytes = field(repr=False)

    def digest(self) -> bytes:
        """Return SHA-256 of the bytes, 32 bytes."""
        return hashlib.sha256(self.data).digest()


def pack(organization: uuid.UUID, vector: RingVector) -> MaskedVector:
    return MaskedVector(organization, tensors.dump({TENSOR: vector}))


def unpack(masked: MaskedVector, *, size: int, ring_bits: int) -> RingVector:
    """Return the ring vector, shape (size,), read-only; `TensorFormatError` if it is anything else."""
    dtype = RING_DTYPES[ring_bits]
    limit = size * dtype.itemsize + _HEADER_ROOM
    expected = {TENSOR: (dtype.str, (size,))}
    return tensors.load(masked.data, expected=expected, max_bytes=limit)[TENSOR]


def sum_vectors(vectors: Iterable[MaskedVector], *, size: int, ring_bits: int) -> RingVector:
    """Return the sum modulo 2**ring_bits, shape (size,); `TensorFormatError` if one of them does not fit."""
    total: RingVector = np.zeros(size, RING_DTYPES[ring_bits])
    for vector in vectors:
        np.add(total, unpack(vector, size=size, ring_bits=ring_bits), out=total)
    return total
