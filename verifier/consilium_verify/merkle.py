"""RFC 9162 section 2.1, by the recursive definitions there rather than by its verification loops."""

import hashlib
from collections.abc import Sequence

from consilium_verify.findings import RefusedError


def leaf_hash(data: bytes) -> bytes:
    """Hash a leaf's data."""
    return hashlib.sha256(b"\x00" + data).digest()


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    layer = list(leaves)
    while len(layer) > 1:
        # A last node without a partner moves up as it is: this makes the RFC's uneven splits.
        pairs = [_node(layer[i], layer[i + 1]) for i in range(0, len(layer) - 1, 2)]
        layer = pairs + layer[len(pairs) * 2 :]
    return layer[0]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Return if the leaf hash is at the index in the tree; `RefusedError` otherwise."""
    if not 0 <= index < size < 2**64:
        raise RefusedError(f"index {index} does not lie in a log of {size} records")
    _require_hashes(leaf, root, *path)
    if _included(leaf, index, size, list(path)) != root:
        raise RefusedError("the inclusion proof fails")


def verify_consistency(first: int, second: int, roots: tuple[bytes, bytes], path: Sequence[bytes]) -> None:
    """Return if the tree of `first` leaves is a prefix of that of `second`; `RefusedError` otherwise."""
    if not 0 < first <= second < 2**64:
        raise RefusedError(f"a log of {second} records does not extend one of {first}")
    _require_hashes(*roots, *path)
    if _prefix(first, second, list(path), roots[0], whole=True) != roots:
        raise RefusedError("the consistency proof fails")


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def _included(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    if size == 1:
        _require_used(path)
        return leaf
    sibling, left = _last(path), _split(size)
    if index < left:
        return _node(_included(leaf, index, left, path), sibling)
    return _node(sibling, _included(leaf, index - left, size - left, path))


def _prefix(first: int, second: int, path: list[bytes], old_root: bytes, *, whole: bool) -> tuple[bytes, bytes]:
    """Rebuild both roots: SUBPROOF of section 2.1.4.1 read backwards; `whole` is its flag b."""
    if first == second:
        same = old_root if whole else _last(path)
        _require_used(path)
        return same, same
    sibling, left = _last(path), _split(second)
    if first <= left:
        old, new = _prefix(first, left, path, old_root, whole=whole)
        return old, _node(new, sibling)
    old, new = _prefix(first - left, second - left, path, old_root, whole=False)
    return _node(sibling, old), _node(sibling, new)


def _last(path: list[bytes]) -> bytes:
    if not path:
        raise RefusedError("the proof is too short")
    return path.pop()


def _require_used(path: list[bytes]) -> None:
    if path:
        raise RefusedError("the proof is too long")


def _require_hashes(*values: bytes) -> None:
    if any(len(value) != 32 for value in values):
        raise RefusedError("a hash of the proof is not 32 bytes")
