"""Recursive Length Prefix (yellow paper, appendix B), strict: each value has exactly one encoding."""

from collections.abc import Sequence
from typing import TypeAlias

from consilium_verify.findings import RefusedError

Item: TypeAlias = "bytes | Sequence[Item]"
# Deeper than anything of a block, a receipt or a trie; it bounds the recursion.
_MAX_DEPTH = 16
_STRING, _LIST, _SHORT = 0x80, 0xC0, 56


def encode(item: Item) -> bytes:
    """Return the encoding of bytes, or of a list of such items."""
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < _STRING else prefixed(_STRING, item)
    return prefixed(_LIST, b"".join(map(encode, item)))


def prefixed(base: int, payload: bytes) -> bytes:
    """Return a payload behind the length that RLP writes before it: base 0x80 for bytes, 0xc0 for a list."""
    if len(payload) < _SHORT:
        return bytes([base + len(payload)]) + payload
    length = scalar(len(payload))
    return bytes([base + _SHORT - 1 + len(length)]) + length + payload


def scalar(number: int) -> bytes:
    """Return a natural number big-endian without leading zeros: zero is no byte at all."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def decode(data: bytes) -> Item:
    """Return the one item that these bytes encode.

    Raises
    ------
    RefusedError
        If they end early, go on after it, or are not the shortest encoding.
    """
    item, end = _item(data, 0, len(data), 0)
    if end != len(data):
        raise RefusedError("RLP goes on after its end")
    return item


def items(item: Item, length: int | None = None) -> Sequence[Item]:
    """Return the items of a list, of this length if one is given."""
    if isinstance(item, bytes):
        raise RefusedError("RLP has bytes where a list belongs")
    if length is not None and len(item) != length:
        raise RefusedError(f"RLP has a list of {len(item)} items where {length} belong")
    return item


def string(item: Item, size: int | None = None) -> bytes:
    """Return the bytes, of this size if one is given."""
    if not isinstance(item, bytes):
        raise RefusedError("RLP has a list where bytes belong")
    if size is not None and len(item) != size:
        raise RefusedError(f"RLP has {len(item)} bytes where {size} belong")
    return item


def number(item: Item, most: int = 32) -> int:
    """Return a natural number of at most so many bytes."""
    data = string(item)
    if data[:1] == b"\0" or len(data) > most:
        raise RefusedError("RLP has a number with leading zeros or too many bytes")
    return int.from_bytes(data, "big")


def _item(data: bytes, at: int, end: int, depth: int) -> tuple[Item, int]:
    if at >= end:
        raise RefusedError("RLP ends early")
    first = data[at]
    if first < _STRING:
        return data[at : at + 1], at + 1
    begin, stop = _bounds(data, at, end, _LIST if first >= _LIST else _STRING)
    if first >= _LIST:
        return _list(data, begin, stop, depth + 1), stop
    if stop - begin == 1 and data[begin] < _STRING:
        raise RefusedError("RLP is not in its shortest form")
    return data[begin:stop], stop


def _bounds(data: bytes, at: int, end: int, base: int) -> tuple[int, int]:
    """Return where the payload of the item at `at` begins and stops."""
    length, begin = data[at] - base, at + 1
    if length >= _SHORT:
        begin += length - _SHORT + 1
        written = data[at + 1 : begin]
        length = int.from_bytes(written, "big")
        if written[:1] == b"\0" or length < _SHORT:
            raise RefusedError("RLP is not in its shortest form")
    if begin + length > end:
        raise RefusedError("RLP ends early")
    return begin, begin + length


def _list(data: bytes, at: int, stop: int, depth: int) -> list[Item]:
    if depth > _MAX_DEPTH:
        raise RefusedError("RLP is nested too deep")
    found: list[Item] = []
    while at < stop:
        item, at = _item(data, at, stop, depth)
        found.append(item)
    return found
