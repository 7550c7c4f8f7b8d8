import enum
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.kernel.canonical import canonical_json, parse_canonical
from consortium.kernel.errors import InvalidInputError

SAFE = 2**53 - 1
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


class Word(enum.StrEnum):
    YES = "yes"


class Number(enum.IntEnum):
    TWO = 2


@settings(max_examples=200)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-SAFE, SAFE)
        | st.text(max_size=20)
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.tuples(inner)
            | st.dictionaries(st.text('az09_/"\x7f\r', max_size=4) | st.text(max_size=3), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_the_bytes_are_those_of_the_reference_package(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        {"word": Word.YES, "number": Number.TWO, Word.YES: True},
        {"\u2028": "\u2028", "controls": "\x00\x1f\x7f\b\f\t/"},
        {"\U0001f600": 1, "\ufb33": 2},
        {"astral": "\U0001f600", "limits": [SAFE, -SAFE, 0]},
        [1.0, -0.0, 1e21, 5e-324],
        [(), {}, [], "", None, [True, False]],
    ],
)
def test_values_at_the_edge_of_the_fast_way_are_written_as_the_reference_package_does(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


def test_example_of_rfc_8785_section_3_2_2_is_serialized_as_written_there() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }

    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical_json(value) == expected.encode()


def test_keys_are_sorted_by_utf_16_as_in_rfc_8785_section_3_2_3() -> None:
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}

    assert list(json.loads(canonical_json(value)).values()) == [2, 4, 6, 7, 1, 5, 3]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        -float("inf"),
        2**53,
        -(2**53),
        {1: "a"},
        {None: 1},
        {"\ud800": 1},
        "\ud800",
        b"x",
        {1},
    ],
)
def test_value_without_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInputError):
        canonical_json(value)
    with pytest.raises(InvalidInputError):
        canonical_json({"inside": [value]})


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_deepest_value_is_64_lists_in_one_another() -> None:
    assert canonical_json(nested(64)) == b"[" * 64 + b"]" * 64
    assert parse_canonical(b"[" * 64 + b"]" * 64) == nested(64)
    assert canonical_json([nested(62), {"a": 1}]).endswith(b'{"a":1}]')


@pytest.mark.parametrize("depth", [65, 5000])
def test_deeper_nesting_is_refused_instead_of_overflowing(depth: int) -> None:
    with pytest.raises(InvalidInputError):
        canonical_json(nested(depth))
    with pytest.raises(InvalidInputError):
        parse_canonical(b"[" * depth + b"]" * depth)


@settings(max_examples=100)
@given(VALUES)
def test_what_was_written_reads_back_as_the_same_value(value: Any) -> None:
    assert parse_canonical(canonical_json(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b"[1, 2]",
        b"1.0",
        b"1e2",
        b"-0",
        b"NaN",
        b"Infinity",
        b"\xff",
        b"",
        b"[",
        b'"\\u0041"',
    ],
)
def test_other_spelling_of_a_value_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInputError):
        parse_canonical(text)


def test_document_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(InvalidInputError, match="at most 4"):
        parse_canonical(b"[1,2]", max_bytes=4)
