"""Merkle-Patricia tries: over a block's numbered items, and over a state that is known whole; roots, and proofs below.

Yellow paper, appendix D; keys of a block's items are RLP of the place, keys of a state the keccak-256 of address or
slot. A node gives receipts and no proof of them, so whoever wants one builds the trie again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import rlp

from consortium.kernel.digests import keccak256

EMPTY_ROOT = keccak256(rlp.encode(b""))
# A shorter node stands in its parent itself, not its hash.
HASHED_BYTES = 32

Path = tuple[int, ...]
Item = tuple[Path, bytes]


def ordered_root(values: Sequence[bytes]) -> bytes:
    """Return the root (32 bytes) over a block's receipts or transactions, each encoded, in their order."""
    return keccak256(rlp.encode(_build(_items(values), None, []))) if values else EMPTY_ROOT


def ordered_proof(values: Sequence[bytes], index: int) -> list[bytes]:
    """Return the encoded nodes from the root down to the item at `index`.

    Raises
    ------
    IndexError
        If the block has no such item.
    """
    if not 0 <= index < len(values):
        raise IndexError(f"The block has {len(values)} items, and none with number {index}.")
    return _proof(_items(values), _nibbles(rlp.encode(index)))


def state_root(words: Mapping[bytes, bytes]) -> bytes:
    """Return the root (32 bytes) over encoded accounts by address, or encoded words by slot (32 bytes)."""
    return keccak256(rlp.encode(_build(_hashed(words), None, []))) if words else EMPTY_ROOT


def state_proof(words: Mapping[bytes, bytes], key: bytes) -> list[bytes]:
    """Return the encoded nodes from `state_root` down to what lies at `key`; `KeyError` if nothing does."""
    if key not in words:
        raise KeyError(key.hex())
    return _proof(_hashed(words), _nibbles(keccak256(key)))


def _proof(items: Sequence[Item], wanted: Path) -> list[bytes]:
    upwards: list[bytes] = []
    top = rlp.encode(_build(items, wanted, upwards))
    return [top, *reversed(upwards)]


def _hashed(words: Mapping[bytes, bytes]) -> list[Item]:
    return [(_nibbles(keccak256(key)), value) for key, value in words.items()]


def _items(values: Sequence[bytes]) -> list[Item]:
    return [(_nibbles(rlp.encode(index)), value) for index, value in enumerate(values)]


def _build(items: Sequence[Item], wanted: Path | None, upwards: list[bytes]) -> list[Any]:
    """The node over these items; nodes below it on the way to `wanted` are appended, the lowest first."""
    if len(items) == 1:
        ((path, value),) = items
        return [_compact(path, is_leaf=True), value]
    if shared := _shared(items):
        below = [(path[len(shared) :], value) for path, value in items]
        return [_compact(shared, is_leaf=False), _child(below, _after(wanted, shared), upwards)]
    children = [_branch(items, digit, wanted, upwards) for digit in range(16)]
    return [*children, next((value for path, value in items if not path), b"")]


def _branch(items: Sequence[Item], digit: int, wanted: Path | None, upwards: list[bytes]) -> Any:
    below = [(path[1:], value) for path, value in items if path[:1] == (digit,)]
    return _child(below, _after(wanted, (digit,)), upwards) if below else b""


def _child(items: Sequence[Item], wanted: Path | None, upwards: list[bytes]) -> Any:
    """A node as its parent holds it."""
    node = _build(items, wanted, upwards)
    encoded = rlp.encode(node)
    if len(encoded) < HASHED_BYTES:
        return node
    if wanted is not None:
        upwards.append(encoded)
    return keccak256(encoded)


def _after(wanted: Path | None, prefix: Path) -> Path | None:
    """The rest of the wanted path behind a prefix; None where the way does not lead through it."""
    return wanted[len(prefix) :] if wanted is not None and wanted[: len(prefix)] == prefix else None


def _shared(items: Sequence[Item]) -> Path:
    first, last = min(path for path, _ in items), max(path for path, _ in items)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:length]


def _nibbles(key: bytes) -> Path:
    return tuple(digit for byte in key for digit in (byte >> 4, byte & 15))


def _compact(path: Path, *, is_leaf: bool) -> bytes:
    """Hex-prefix encoding: a flag for leaves, and whether the number of nibbles is odd."""
    flag = 2 * is_leaf + len(path) % 2
    padded = (flag, *path) if len(path) % 2 else (flag, 0, *path)
    return bytes(high << 4 | low for high, low in zip(padded[::2], padded[1::2], strict=True))
