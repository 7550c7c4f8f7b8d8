"""Tensors as canonical safetensors: one set of named arrays, one sequence of bytes, one digest.

The layout is that of https://github.com/huggingface/safetensors (8 bytes little-endian header length,
JSON header, data without holes). Canonical form fixes what the format leaves open: tensors lie in
the order of their names, JSON keys are sorted and without spaces, the header is padded with spaces to
a multiple of 8 bytes, and an empty `__metadata__` is left out.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from consortium.kernel.digests import sha256_digest
from training.federated.errors import NotFiniteError, TensorFormatError

Tensor = NDArray[Any]
Expected = Mapping[str, tuple[str, tuple[int, ...]]]

_DTYPES: Final = {"F64": "<f8", "F32": "<f4", "U64": "<u8", "I64": "<i8", "U32": "<u4", "U8": "|u1"}
_CODES: Final = {np.dtype(text): code for code, text in _DTYPES.items()}
_METADATA: Final = "__metadata__"
# 10 million parameters of 8 bytes with room; a header names a few tensors, never thousands.
MAX_BYTES: Final = 128 * 1024 * 1024
MAX_HEADER_BYTES: Final = 64 * 1024


def dump(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the canonical safetensors bytes of the named arrays."""
    unknown = [name for name in sorted(tensors) if tensors[name].dtype not in _CODES]
    if unknown or _METADATA in tensors:
        raise TensorFormatError(f"Tensors {unknown or [_METADATA]} cannot be written; use {', '.join(_DTYPES)}.")
    body = (np.ascontiguousarray(tensors[name]).data for name in sorted(tensors))
    return b"".join((_header_of(tensors, metadata or {}), *body))


def load(
    data: bytes,
    *,
    expected: Expected | None = None,
    canonical: bool = True,
    max_bytes: int = MAX_BYTES,
) -> dict[str, Tensor]:
    """Read tensors that another party wrote, without executing or trusting anything.

    Parameters
    ----------
    data : bytes
        A safetensors file.
    expected : mapping of name to (dtype such as "<f8", shape), optional
        What the plan says; any difference is refused.
    canonical : bool
        Refuse a file that `dump` would have written otherwise.
    max_bytes : int
        Size limit of the whole file.

    Returns
    -------
    dict of read-only arrays that share memory with `data`

    Raises
    ------
    TensorFormatError
        If a length, an offset, the JSON, a name, a type or a shape is not as stated.
    """
    tensors, metadata, header = _parse(data, max_bytes)
    if expected is not None and _signature(tensors) != {n: (np.dtype(d).str, s) for n, (d, s) in expected.items()}:
        raise TensorFormatError("Names, types or shapes of the tensors differ from what the plan fixes.")
    if canonical and _header_of(tensors, metadata) != header:
        raise TensorFormatError("The tensors are valid but not in canonical form; write them with `tensors.dump`.")
    return tensors


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Return `sha256:<hex>` of the canonical bytes."""
    return sha256_digest(dump(tensors))


def ensure_finite(values: Tensor, *, what: str) -> None:
    """Refuse NaN and infinity.

    Raises
    ------
    NotFiniteError
        Naming how many values are not finite, never the values.
    """
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        raise NotFiniteError(f"{bad} of {values.size} values of {what} are NaN or infinite; nothing was sent.", bad=bad)


def _signature(tensors: Mapping[str, Tensor]) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {name: (array.dtype.str, array.shape) for name, array in tensors.items()}


def _header_of(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Return the canonical header. Of tensors without holes it fixes where each byte lies, so it names the form."""
    shapes = {name: array.shape for name, array in tensors.items()}
    return _header(shapes, {name: array.dtype for name, array in tensors.items()}, metadata)


def _header(
    shapes: Mapping[str, tuple[int, ...]], dtypes: Mapping[str, np.dtype[Any]], metadata: Mapping[str, str]
) -> bytes:
    entries: dict[str, object] = {_METADATA: dict(metadata)} if metadata else {}
    offset = 0
    for name in sorted(shapes):
        size = dtypes[name].itemsize * int(np.prod(shapes[name], dtype=object))
        entries[name] = {
            "dtype": _CODES[dtypes[name]],
            "shape": list(shapes[name]),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(entries, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _parse(data: bytes, max_bytes: int) -> tuple[dict[str, Tensor], dict[str, str], bytes]:
    """Return tensors, metadata, and the header with its length."""
    if not 8 <= len(data) <= max_bytes:
        raise TensorFormatError(f"A tensor file has 8 to {max_bytes} bytes, not {len(data)}.")
    (header_bytes,) = struct.unpack("<Q", data[:8])
    if header_bytes > min(MAX_HEADER_BYTES, len(data) - 8):
        raise TensorFormatError("The stated header length is larger than the file or the limit.")
    entries = _parse_header(data[8 : 8 + header_bytes])
    metadata = _metadata(entries.pop(_METADATA, {}))
    body = memoryview(data)[8 + header_bytes :]
    described = sorted(((*_entry(name, entry), name) for name, entry in entries.items()), key=lambda item: item[:2])
    tensors, end = {}, 0
    for start, stop, dtype, shape, name in described:
        if start != end or stop > len(body):
            raise TensorFormatError("Tensors overlap, leave holes, or lie outside the file.")
        tensors[name] = _array(body[start:stop], dtype, shape)
        end = stop
    if end != len(body):
        raise TensorFormatError(f"{len(body) - end} bytes belong to no tensor.")
    return tensors, metadata, data[: 8 + header_bytes]


def _array(raw: memoryview, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Tensor:
    try:
        return np.frombuffer(raw, dtype).reshape(shape)
    except (ValueError, OverflowError) as error:
        # an empty tensor may state dimensions that no array can have
        raise TensorFormatError("A tensor's shape is too large.") from error


def _parse_header(raw: bytes) -> dict[str, object]:
    try:
        entries = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique)
        # a lone surrogate, written as an escape, cannot be written again
        json.dumps(entries, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise TensorFormatError("The header is not UTF-8 JSON with unique keys.") from error
    if not isinstance(entries, dict):
        raise TensorFormatError("The header is not a JSON object.")
    return entries


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("repeated key")
    return dict(pairs)


def _metadata(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise TensorFormatError("Metadata maps text to text.")
    return value


def _entry(name: str, entry: object) -> tuple[int, int, np.dtype[Any], tuple[int, ...]]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise TensorFormatError("A tensor is described by dtype, shape and data_offsets.")
    code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(code, str) or code not in _DTYPES:
        raise TensorFormatError(f"The type of tensor {name!r} is not one of {', '.join(_DTYPES)}.")
    if not (_naturals(shape) and len(shape) <= 8 and _naturals(offsets) and len(offsets) == 2):
        raise TensorFormatError(f"Shape and offsets of tensor {name!r} are lists of whole numbers.")
    dtype = np.dtype(_DTYPES[code])
    if offsets[1] - offsets[0] != dtype.itemsize * int(np.prod(shape, dtype=object)):
        raise TensorFormatError(f"Shape and offsets of tensor {name!r} contradict each other.")
    return offsets[0], offsets[1], dtype, tuple(shape)


def _naturals(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in value)
