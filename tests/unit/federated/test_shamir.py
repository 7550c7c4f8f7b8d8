import itertools
import secrets
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.federated.errors import ShareError
from training.federated.secagg.shamir import PRIME, SHARE_BYTES, join, split

SECRET = bytes(range(32))


@pytest.mark.parametrize(("n", "t"), [(3, 2), (5, 4), (7, 5), (6, 1)])
def test_every_subset_at_the_threshold_rebuilds_the_secret(n: int, t: int) -> None:
    shares = split(SECRET, threshold=t, holders=range(1, n + 1))

    for subset in itertools.combinations(shares, t):
        assert join({x: shares[x] for x in subset}, threshold=t) == SECRET


@pytest.mark.parametrize(("n", "t"), [(3, 2), (5, 4)])
def test_no_subset_below_the_threshold_is_joined_or_consistent_with_one_secret_only(n: int, t: int) -> None:
    shares = split(SECRET, threshold=t, holders=range(1, n + 1))

    for subset in itertools.combinations(shares, t - 1):
        held = {x: shares[x] for x in subset}
        with pytest.raises(ShareError, match="cannot rebuild"):
            join(held, threshold=t)
        # any other secret fits the same t - 1 shares: the point that makes it so exists
        free = next(x for x in shares if x not in subset)
        assert _completes(held, free, t, bytes(32))


def _completes(held: dict[int, bytes], free: int, t: int, secret: bytes) -> bool:
    """Interpolate the missing share through (0, secret) and the held points, and join with it."""
    points = {0: int.from_bytes(secret, "big")} | {x: int.from_bytes(y, "big") for x, y in held.items()}
    value = 0
    for x, y in points.items():
        weight = y
        for other in points:
            if other != x:
                weight = weight * (free - other) * pow(x - other, -1, PRIME) % PRIME
        value = (value + weight) % PRIME
    return join(held | {free: value.to_bytes(SHARE_BYTES, "big")}, threshold=t) == secret


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(1, 8), st.integers(0, 4), st.randoms())
def test_more_shares_and_their_order_do_not_matter(secret: bytes, t: int, more: int, random: Random) -> None:
    shares = split(secret, threshold=t, holders=range(1, t + more + 1))
    items = list(shares.items())
    random.shuffle(items)

    assert join(dict(items), threshold=t) == secret
    assert {len(share) for share in shares.values()} == {66}


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 4), st.integers(0, 527))
def test_a_tampered_share_never_rebuilds_the_secret(holder: int, bit: int) -> None:
    shares = split(SECRET, threshold=4, holders=range(1, 5))
    shares[holder] = (int.from_bytes(shares[holder], "big") ^ 1 << bit).to_bytes(SHARE_BYTES, "big")

    try:
        rebuilt = join(shares, threshold=4)
    except ShareError:
        return

    assert rebuilt != SECRET


def test_two_dealings_of_one_secret_share_nothing() -> None:
    first = split(SECRET, threshold=3, holders=range(1, 6))
    second = split(SECRET, threshold=3, holders=range(1, 6))

    assert not set(first.values()) & set(second.values())


@pytest.mark.parametrize(
    ("secret", "threshold", "holders"),
    [
        (SECRET[:-1], 2, [1, 2]),
        (SECRET, 3, [1, 2]),
        (SECRET, 0, [1, 2]),
        (SECRET, 2, [1, 1]),
        (SECRET, 2, [0, 1]),
        (SECRET, 2, [1, PRIME]),
    ],
)
def test_a_cut_outside_its_terms_is_refused(secret: bytes, threshold: int, holders: list[int]) -> None:
    with pytest.raises(ShareError):
        split(secret, threshold=threshold, holders=holders)


@pytest.mark.parametrize("share", [b"", bytes(65), bytes(67), PRIME.to_bytes(66, "big"), b"\xff" * 66])
def test_a_malformed_share_is_refused(share: bytes) -> None:
    with pytest.raises(ShareError, match="field element"):
        join({1: share, 2: bytes(66)}, threshold=2)


def test_a_value_beyond_256_bits_is_no_secret() -> None:
    large = (1 << 256) + secrets.randbelow(1 << 200)

    with pytest.raises(ShareError, match="256 bits"):
        join({1: large.to_bytes(66, "big")}, threshold=1)
