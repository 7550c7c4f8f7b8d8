"""Shamir's secret sharing over GF(2**521 - 1), a Mersenne prime well above 256-bit secrets.

Shamir 1979, "How to share a secret", Communications of the ACM 22(11). Python's integers are not
constant-time: shares are computed at their owner, once an attempt, and nobody else times that.
"""

import secrets
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from training.federated.errors import ShareError

PRIME: Final = 2**521 - 1
# Every share is written in the same 66 bytes, so its length says nothing.
SHARE_BYTES: Final = 66
SECRET_BYTES: Final = 32


def split(secret: bytes, *, threshold: int, holders: Sequence[int]) -> dict[int, bytes]:
    """Cut a secret into shares of which any `threshold` rebuild it and fewer say nothing.

    Parameters
    ----------
    secret : bytes
        32 bytes.
    threshold : int
        1 to the number of holders.
    holders : distinct positive integers
        The points at which the polynomial is evaluated.

    Returns
    -------
    dict of holder to share, each 66 bytes big-endian

    Raises
    ------
    ShareError
        If secret, threshold or holders are not as stated.
    """
    if len(secret) != SECRET_BYTES:
        raise ShareError(f"A secret has {SECRET_BYTES} bytes.")
    if len(set(holders)) != len(holders) or not all(0 < x < PRIME for x in holders):
        raise ShareError("Holders are distinct positive numbers.")
    if not 1 <= threshold <= len(holders):
        raise ShareError(f"A threshold of {threshold} does not fit {len(holders)} holders.")
    coefficients = [secrets.randbelow(PRIME) for _ in range(threshold - 1)]
    coefficients.append(int.from_bytes(secret, "big"))
    return {x: _evaluate(coefficients, x).to_bytes(SHARE_BYTES, "big") for x in holders}


def join(shares: Mapping[int, bytes], *, threshold: int) -> bytes:
    """Rebuild the secret from exactly the `threshold` shares of the lowest holders.

    The result is the secret only if every share is right: compare it with the dealer's commitment.

    Raises
    ------
    ShareError
        If there are too few shares, one is malformed, or the result has more than 256 bits.
    """
    if len(shares) < threshold:
        raise ShareError(f"{len(shares)} shares cannot rebuild a secret of threshold {threshold}.")
    points = {x: _read(shares[x]) for x in sorted(shares)[:threshold]}
    weights = _weights(tuple(points))
    value = sum(y * weight for y, weight in zip(points.values(), weights, strict=True)) % PRIME
    if value >= 1 << (8 * SECRET_BYTES):
        raise ShareError("The shares do not lie on one polynomial with a secret of 256 bits.")
    return value.to_bytes(SECRET_BYTES, "big")


def _evaluate(coefficients: Sequence[int], x: int) -> int:
    value = 0
    for coefficient in coefficients:
        value = (value * x + coefficient) % PRIME
    return value


def _read(share: bytes) -> int:
    value = int.from_bytes(share, "big")
    if len(share) != SHARE_BYTES or value >= PRIME:
        raise ShareError(f"A share is a field element of {SHARE_BYTES} bytes.")
    return value


# Every secret of an attempt is rebuilt from the same holders' shares; who they are is public.
@lru_cache(maxsize=16)
def _weights(points: tuple[int, ...]) -> tuple[int, ...]:
    """Return Lagrange's coefficient at zero of each point, in their order."""
    return tuple(_weight(x, [other for other in points if other != x]) for x in points)


def _weight(x: int, others: Sequence[int]) -> int:
    numerator = denominator = 1
    for other in others:
        numerator = numerator * -other % PRIME
        denominator = denominator * (x - other) % PRIME
    return numerator * pow(denominator, -1, PRIME)
