"""What secure aggregation cannot do without, measured alone: C's cryptography and numpy, none of our code."""

import hashlib
import secrets
from collections.abc import Callable

import coincurve
import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.harness.timing import seconds_of

PIECE_BYTES = 256 * 1024
_ZEROS = bytes(PIECE_BYTES)


def key_stream(size_bytes: int) -> None:
    """Make so many bytes of AES-256 in counter mode, in pieces that stay in the cache, and add them to nothing."""
    encryptor = Cipher(algorithms.AES(bytes(32)), modes.CTR(bytes(16))).encryptor()
    buffer = bytearray(PIECE_BYTES)
    for start in range(0, size_bytes, PIECE_BYTES):
        encryptor.update_into(memoryview(_ZEROS)[: min(PIECE_BYTES, size_bytes - start)], buffer)


class VectorFloors:
    """Seconds for one vector of a width: a key stream as long, one addition, one SHA-256."""

    def __init__(self, size: int, dtype: np.dtype[np.unsignedinteger]) -> None:
        one, other = np.zeros(size, dtype), np.ones(size, dtype)
        self.stream = seconds_of(lambda: key_stream(one.nbytes))
        self.add = seconds_of(lambda: np.add(one, other, out=one))
        self.digest = seconds_of(lambda: hashlib.sha256(one.data).digest())


class KeyFloors:
    """Seconds for one act of a key: X25519, AES-256-GCM over a pair of shares, secp256k1."""

    def __init__(self) -> None:
        private, public = X25519PrivateKey.generate(), X25519PrivateKey.generate().public_key()
        site, message, cipher = coincurve.PrivateKey(), secrets.token_bytes(32), AESGCM(bytes(32))
        signature = site.sign_recoverable(message, hasher=None)
        recover = coincurve.PublicKey.from_signature_and_message
        self.generate = seconds_of(lambda: X25519PrivateKey.generate().public_key())
        self.exchange = seconds_of(lambda: private.exchange(public))
        self.encrypt = seconds_of(lambda: cipher.encrypt(bytes(12), bytes(132), b""))
        self.sign = seconds_of(lambda: site.sign_recoverable(message, hasher=None))
        self.recover = seconds_of(lambda: recover(signature, message, hasher=None))


Floor = Callable[[int, VectorFloors, KeyFloors], float]


def site_floor(n: int, vector: VectorFloors, key: KeyFloors) -> float:
    """Return the seconds of a site's part in an attempt of n: keys, deal, receive, mask, sign, release, verify."""
    agreed = 3 * (n - 1) * key.exchange + 2 * (n - 1) * key.encrypt
    signatures = 2 * key.sign + 2 * n * key.recover
    masks = 2 * n * (vector.stream + vector.add) + n * (vector.add + vector.digest)
    return 2 * key.generate + agreed + signatures + masks


def coordinator_floor(n: int, vector: VectorFloors, key: KeyFloors) -> float:
    """Return the seconds of the coordinator's part: n deals and signatures checked, n vectors added and unmasked."""
    return 2 * n * key.recover + n * (vector.stream + 2 * vector.add + vector.digest)
