import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.federated.errors import NotFiniteError, QuantizationError
from training.federated.secagg.quantization import FixedPoint, finest

BOUNDS = st.floats(1e-3, 1e5)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([32, 64]), BOUNDS, st.integers(1, 64), st.data())
def test_the_decoded_sum_is_the_clipped_sum_within_the_error_bound(
    ring_bits: int, bound: float, addends: int, data: st.DataObject
) -> None:
    encoding = finest(bound=bound, addends=addends, ring_bits=ring_bits)
    values = data.draw(st.lists(st.floats(-2 * bound, 2 * bound), min_size=addends, max_size=addends))

    total = np.zeros(1, encoding.encode(np.zeros(1)).dtype)
    for value in values:
        total += encoding.encode(np.array([value]))
    decoded = encoding.decode(total, addends=addends)

    exact = sum(np.clip(value, -bound, bound) for value in values)
    assert abs(decoded[0] - exact) <= encoding.error_bound * (1 + 1e-9) + 1e-12 * abs(exact)
    assert encoding.within(decoded, addends=addends)


@pytest.mark.parametrize("ring_bits", [32, 64])
def test_the_largest_sum_of_the_proof_does_not_wrap(ring_bits: int) -> None:
    encoding = finest(bound=3.0, addends=5, ring_bits=ring_bits)
    one = encoding.encode(np.array([1e9, -1e9]))

    total = one + one + one + one + one

    assert encoding.decode(total, addends=5).tolist() == [15.0, -15.0]


def test_an_encoding_that_could_overflow_is_refused_with_its_numbers() -> None:
    FixedPoint(bound=1.0, addends=4, fraction_bits=28, ring_bits=32)

    with pytest.raises(QuantizationError, match="sum to at most 2147483648, limit 2147483647"):
        FixedPoint(bound=1.0, addends=8, fraction_bits=28, ring_bits=32)
    with pytest.raises(QuantizationError, match="64 bits"):
        finest(bound=2.0**31, addends=2, ring_bits=32)


@pytest.mark.parametrize(
    "bad", [(0.0, 1, 1, 64), (np.inf, 1, 1, 64), (1.0, 0, 1, 64), (1.0, 1, -1, 64), (1.0, 1, 1, 16)]
)
def test_encodings_without_sense_are_refused(bad: tuple[float, int, int, int]) -> None:
    with pytest.raises(QuantizationError):
        FixedPoint(*bad)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_not_encoded(bad: float) -> None:
    with pytest.raises(NotFiniteError):
        finest(bound=1.0, addends=2, ring_bits=64).encode(np.array([0.0, bad]))


def test_more_addends_than_proven_are_not_decoded() -> None:
    encoding = finest(bound=1.0, addends=3, ring_bits=32)

    with pytest.raises(QuantizationError, match="4 addends"):
        encoding.decode(encoding.encode(np.zeros(1)), addends=4)


def test_a_sum_beyond_the_bound_is_noticed() -> None:
    encoding = finest(bound=1.0, addends=3, ring_bits=64)

    assert encoding.within(np.array([2.0, -2.0]), addends=2)
    assert not encoding.within(np.array([0.0, 2.001]), addends=2)
