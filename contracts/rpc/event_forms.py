"""What an event says, read thousands of times a second: its ABI made into readers of words once, not at each event.

The library's decoder walks the types at each event, which took more time than all else of reading a chain. So the
common types have readers of their own, and these read only what is exactly as a contract writes it; of anything else,
in types or in bytes, the library judges as before (`contracts.rpc.codec.decode_event`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from consortium.kernel.secp256k1 import checksum_address
from contracts.rpc.codec import WORD_BYTES, AbiEntry, decode_event

# Reads a value of some data from a place on.
Reader = Callable[[bytes, int], Any]
_UNSIGNED = re.compile(r"uint(\d+)\Z")
_SIZED = re.compile(r"bytes(\d+)\Z")
_ADDRESS_BYTES = 20


class _UnusualError(Exception):
    """Bytes or a type that are left to the library."""


class EventForm:
    """One event of a contract's ABI."""

    def __init__(self, entry: AbiEntry) -> None:
        self.name: str = entry["name"]
        self._entry = entry
        self._order = [part["name"] for part in entry["inputs"]]
        self._indexed = [part for part in entry["inputs"] if part["indexed"]]
        try:
            self._topics = [(part["name"], _word(part["type"])) for part in self._indexed]
            self._data, self._size = _head([part for part in entry["inputs"] if not part["indexed"]])
        except _UnusualError:
            self._topics, self._data, self._size = [], [], -1

    @property
    def has_readers(self) -> bool:
        """Whether it is read here; the library reads the others."""
        return self._size >= 0

    def decode(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """The arguments by name, as `decode_event` gives them; `ContractArgumentsError` if they do not fit."""
        try:
            return self._read(topics, data)
        except _UnusualError:
            return decode_event(self._entry, topics, data)

    def _read(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        if not (self.has_readers and self._size <= len(data)) or len(topics) != len(self._topics) + 1:
            raise _UnusualError
        found = {
            name: read(_require_word(topic), 0) for (name, read), topic in zip(self._topics, topics[1:], strict=True)
        }
        found |= {name: read(data, place) for name, read, place in self._data}
        return {name: found[name] for name in self._order}


def _head(components: Sequence[AbiEntry]) -> tuple[list[tuple[str, Reader, int]], int]:
    """Readers and places of the values of a tuple, and the bytes that it takes."""
    size = WORD_BYTES * sum(map(_words, components))
    readers, place = [], 0
    for part in components:
        readers.append((part["name"], _reader(part, size), place))
        place += WORD_BYTES * _words(part)
    return readers, size


def _words(component: AbiEntry) -> int:
    """How many words a value takes in its tuple: a list takes one, which says where it stands."""
    return sum(map(_words, component["components"])) if component["type"] == "tuple" else 1


def _reader(component: AbiEntry, head_bytes: int) -> Reader:
    kind: str = component["type"]
    if kind == "tuple":
        return _struct(component["components"])
    return _list(_word(kind.removesuffix("[]")), head_bytes) if kind.endswith("[]") else _word(kind)


def _struct(components: Sequence[AbiEntry]) -> Reader:
    if any(part["type"].endswith("]") for part in components):
        raise _UnusualError
    parts, _ = _head(components)

    def read(data: bytes, at: int) -> dict[str, Any]:
        return {name: part(data, at + place) for name, part, place in parts}

    return read


def _list(item: Reader, head_bytes: int) -> Reader:
    def read(data: bytes, at: int) -> list[Any]:
        start = int.from_bytes(data[at : at + WORD_BYTES])
        first = start + WORD_BYTES
        if start < head_bytes or first > len(data):
            raise _UnusualError
        end = first + WORD_BYTES * int.from_bytes(data[start:first])
        if end > len(data):
            raise _UnusualError
        return [item(data, place) for place in range(first, end, WORD_BYTES)]

    return read


def _word(kind: str) -> Reader:
    """The reader of a type that takes one word."""
    if (plain := _PLAIN.get(kind)) is not None:
        return plain
    if (unsigned := _UNSIGNED.match(kind)) is not None:
        return _below(1 << int(unsigned[1]))
    if (sized := _SIZED.match(kind)) is not None:
        return _left(int(sized[1]))
    raise _UnusualError


def _raw(data: bytes, at: int) -> bytes:
    return data[at : at + WORD_BYTES]


def _below(limit: int) -> Reader:
    def read(data: bytes, at: int) -> int:
        value = int.from_bytes(data[at : at + WORD_BYTES])
        if value >= limit:
            raise _UnusualError
        return value

    return read


def _left(size: int) -> Reader:
    padding = bytes(WORD_BYTES - size)

    def read(data: bytes, at: int) -> bytes:
        if data[at + size : at + WORD_BYTES] != padding:
            raise _UnusualError
        return data[at : at + size]

    return read


_one_bit = _below(2)


def _truth(data: bytes, at: int) -> bool:
    return bool(_one_bit(data, at))


def _address(data: bytes, at: int) -> str:
    if any(data[at : at + WORD_BYTES - _ADDRESS_BYTES]):
        raise _UnusualError
    return _spelled(data[at + WORD_BYTES - _ADDRESS_BYTES : at + WORD_BYTES])


@lru_cache(maxsize=4096)
def _spelled(raw: bytes) -> str:
    """The address as EIP-55 has it: a consortium's are few, and each costs a keccak-256."""
    return checksum_address("0x" + raw.hex())


def _require_word(topic: bytes) -> bytes:
    if len(topic) != WORD_BYTES:
        raise _UnusualError
    return topic


_PLAIN: Mapping[str, Reader] = {
    "bytes32": _raw,
    "bool": _truth,
    "address": _address,
}
