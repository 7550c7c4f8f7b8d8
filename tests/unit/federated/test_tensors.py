import json
import struct

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from training.federated import tensors
from training.federated.errors import NotFiniteError, TensorFormatError

DTYPES = ["<f8", "<f4", "<u8", "<i8", "<u4", "|u1"]
ARRAYS = st.sampled_from(DTYPES).flatmap(lambda d: hnp.arrays(np.dtype(d), hnp.array_shapes(min_dims=0, max_side=4)))


def file(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + body


def entry(dtype: str = "F64", shape: list[object] | None = None, offsets: list[object] | None = None) -> object:
    return {"dtype": dtype, "shape": [1] if shape is None else shape, "data_offsets": offsets or [0, 8]}


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text("abcxyz", min_size=1, max_size=4), ARRAYS, max_size=4))
def test_dumped_tensors_load_back_and_with_the_reference_package(arrays: dict[str, tensors.Tensor]) -> None:
    data = tensors.dump(arrays)

    ours, theirs = tensors.load(data), safetensors.numpy.load(data)

    assert set(ours) == set(theirs) == set(arrays)
    for name, array in arrays.items():
        for loaded in (ours[name], theirs[name]):
            assert loaded.dtype == array.dtype
            assert loaded.shape == array.shape
            assert loaded.tobytes() == array.tobytes()


def test_what_the_reference_package_writes_is_read_but_not_canonical() -> None:
    data = safetensors.numpy.save({"b": np.arange(3.0), "a": np.arange(2, dtype=np.uint32)})

    loaded = tensors.load(data, canonical=False)

    assert loaded["b"].tolist() == [0.0, 1.0, 2.0]
    assert loaded["a"].tolist() == [0, 1]
    with pytest.raises(TensorFormatError, match="canonical"):
        tensors.load(data)


def test_canonical_bytes_are_exactly_these() -> None:
    data = tensors.dump({"b": np.array([1.0]), "a": np.array([2], dtype=np.uint8)}, {"kind": "weights"})

    header = (
        b'{"__metadata__":{"kind":"weights"},"a":{"data_offsets":[0,1],"dtype":"U8","shape":[1]},'
        b'"b":{"data_offsets":[1,9],"dtype":"F64","shape":[1]}}'
    )
    header += b" " * (-len(header) % 8)
    assert data == struct.pack("<Q", len(header)) + header + b"\x02" + struct.pack("<d", 1.0)


def test_arrays_that_are_empty_scalar_or_strided_are_written_by_value() -> None:
    arrays = {"empty": np.zeros((0, 3)), "scalar": np.array(7.0), "strided": np.arange(6, dtype="<u4")[::2]}

    loaded = tensors.load(tensors.dump(arrays))

    assert {name: (array.shape, array.tolist()) for name, array in loaded.items()} == {
        **{"empty": ((0, 3), []), "scalar": ((), 7.0), "strided": ((3,), [0, 2, 4])}
    }


@pytest.mark.parametrize(("a", "b"), [([8, 16], [0, 8]), ([0, 8], [0, 0]), ([8, 8], [0, 8])])
def test_tensors_that_lie_in_another_order_than_their_names_are_not_canonical(a: list[int], b: list[int]) -> None:
    header = {
        name: entry("F64", [(stop - start) // 8], [start, stop]) for name, (start, stop) in {"a": a, "b": b}.items()
    }
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    data = file(text + b" " * (-len(text) % 8), bytes(max(a[1], b[1])))

    assert set(tensors.load(data, canonical=False)) == {"a", "b"}
    with pytest.raises(TensorFormatError, match="canonical"):
        tensors.load(data)


def test_digest_ignores_the_order_in_which_tensors_are_given() -> None:
    one, two = np.array([1.0]), np.array([2.0])

    assert tensors.digest({"a": one, "b": two}) == tensors.digest({"b": two, "a": one})
    assert tensors.digest({"a": one, "b": two}) != tensors.digest({"a": two, "b": one})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1234567",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 100_000) + b" " * 100_000,
        file(b"[]"),
        file(b"\xff"),
        file(b"{" * 5000),
        file(b'{"a":{"dtype":"F64","shape":[0],"data_offsets":[0,0]},"a":1}'),
        file({"__metadata__": {"a": 1}}),
        file(b'{"__metadata__":{"a":"\\ud800"}}'),
        file({"a": {"dtype": "F64", "shape": [1]}}, bytes(8)),
        file({"a": entry("BF16", offsets=[0, 2])}, bytes(2)),
        file({"a": entry(shape=[-1])}, bytes(8)),
        file({"a": entry(shape=[True])}, bytes(8)),
        file({"a": entry(shape=[1.0])}, bytes(8)),
        file({"a": entry(shape=[2])}, bytes(8)),
        file({"a": entry(shape=[2**61 + 1])}, bytes(8)),
        file({"a": entry(shape=[0, 2**70], offsets=[0, 0])}),
        file({"a": entry(offsets=[8, 16])}, bytes(16)),
        file({"a": entry(), "b": entry()}, bytes(8)),
        file({"a": entry()}, bytes(7)),
        file({"a": entry()}, bytes(9)),
        file({"a": entry()}, bytes(8)),
    ],
    ids=lambda data: repr(data[8:40]),
)
def test_malformed_or_uncanonical_files_are_refused(data: bytes) -> None:
    with pytest.raises(TensorFormatError):
        tensors.load(data)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 200), st.integers(1, 255))
def test_one_changed_byte_is_refused_or_changes_the_values(position: int, flip: int) -> None:
    original = {"w": np.arange(4.0)}
    data = bytearray(tensors.dump(original))
    data[position % len(data)] ^= flip

    try:
        loaded = tensors.load(bytes(data))
    except TensorFormatError:
        return

    assert tensors.dump(loaded) == bytes(data) != tensors.dump(original)


@pytest.mark.parametrize("expected", [{"w": ("<f8", (3,))}, {"w": ("<f4", (2,))}, {"v": ("<f8", (2,))}, {}])
def test_tensors_other_than_the_plan_expects_are_refused(expected: dict[str, tuple[str, tuple[int, ...]]]) -> None:
    data = tensors.dump({"w": np.zeros(2)})

    assert tensors.load(data, expected={"w": ("<f8", (2,))})["w"].shape == (2,)
    with pytest.raises(TensorFormatError, match="plan"):
        tensors.load(data, expected=expected)


def test_a_file_above_the_limit_is_refused() -> None:
    data = tensors.dump({"w": np.zeros(100)})

    with pytest.raises(TensorFormatError, match="bytes"):
        tensors.load(data, max_bytes=len(data) - 1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_without_being_repeated(bad: float) -> None:
    with pytest.raises(NotFiniteError, match="1 of 2 values of an update"):
        tensors.ensure_finite(np.array([1.5, bad]), what="an update")


@pytest.mark.parametrize("array", [np.zeros(1, dtype=np.int32), np.zeros(1, dtype=">f8"), np.array(["a"])])
def test_a_type_outside_the_format_is_not_written(array: tensors.Tensor) -> None:
    with pytest.raises(TensorFormatError):
        tensors.dump({"a": array})
