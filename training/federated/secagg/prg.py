"""Masks: the key stream of AES-256 in counter mode (NIST SP 800-38A), added in the ring.

AES-CTR under a fresh 256-bit key is a pseudo-random generator, and each word of it is uniform in
Z_2^32 or Z_2^64, so no rejection is needed. Every key is derived for one mask alone, so that the
counter may begin at zero.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from training.federated.errors import QuantizationError

RingVector = NDArray[np.unsignedinteger[Any]]

RING_DTYPES: Final[Mapping[int, np.dtype[Any]]] = {32: np.dtype("<u4"), 64: np.dtype("<u8")}
# Stays in the second-level cache, and bounds the extra memory whatever the vector's length.
PIECE_BYTES: Final = 256 * 1024
_ZEROS: Final = bytes(PIECE_BYTES)
_COUNTER: Final = bytes(16)


def add_mask(vector: RingVector, key: bytes, *, counter: bytes = _COUNTER) -> None:
    """Add the mask of `key` to the vector, in place, modulo the ring.

    Parameters
    ----------
    vector : uint32 or uint64 little-endian array, shape (d,), writable and contiguous
    key : bytes
        32 bytes, used for this one mask.
    counter : bytes
        Initial counter block, 16 bytes; zero except in tests against published vectors.

    Raises
    ------
    QuantizationError
        If the vector is not of a ring.
    """
    _apply(vector, key, counter, np.add)


def subtract_mask(vector: RingVector, key: bytes, *, counter: bytes = _COUNTER) -> None:
    """Take away what `add_mask` added with the same key."""
    _apply(vector, key, counter, np.subtract)


def ensure_ring(vector: NDArray[np.generic]) -> None:
    """Refuse anything but a one-dimensional contiguous array of a ring's type."""
    if vector.dtype not in RING_DTYPES.values() or vector.ndim != 1 or not vector.flags.c_contiguous:
        raise QuantizationError("A ring vector is a contiguous one-dimensional array of uint32 or uint64.")


def _apply(vector: RingVector, key: bytes, counter: bytes, operation: np.ufunc) -> None:
    ensure_ring(vector)
    if len(key) != 32:
        raise ValueError("a mask key has 32 bytes")
    encryptor = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    buffer = bytearray(PIECE_BYTES)
    words = np.frombuffer(buffer, vector.dtype)
    for start in range(0, vector.size, words.size):
        piece = vector[start : start + words.size]
        encryptor.update_into(memoryview(_ZEROS)[: piece.nbytes], buffer)
        operation(piece, words[: piece.size], out=piece)
