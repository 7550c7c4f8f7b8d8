"""The log's Merkle tree (RFC 9162 section 2.1): hashes, and proofs from stored complete subtrees.

A node is named by its level (0 for leaf hashes) and its index in that level, and covers the
leaves `index * 2**level` up to `(index + 1) * 2**level`. Once complete it never changes, so a store
only ever adds nodes, and a root or a proof for any earlier size is O(log n) reads of it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from consortium.kernel.errors import InvalidInputError

EMPTY_ROOT = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class Node:
    """A complete subtree: what a store keeps, once and for ever."""

    level: int
    index: int
    hash: bytes


class NodeStore(Protocol):
    """Where complete subtrees lie: a table, or the levels of `MemoryTree`."""

    def get(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree; raise if it is not there."""
        ...


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def completed_nodes(size: int, leaf: bytes, store: NodeStore) -> list[Node]:
    """Return the nodes that appending one leaf hash to a tree of `size` leaves completes.

    The first is the leaf itself. The store needs the nodes of the present tree; the caller
    adds the returned ones to it in the same transaction as the leaf.
    """
    nodes = [Node(0, size, leaf)]
    while (last := nodes[-1]).index % 2:
        left = store.get(last.level, last.index - 1)
        nodes.append(Node(last.level + 1, last.index // 2, node_hash(left, last.hash)))
    return nodes


def root_of(size: int, store: NodeStore) -> bytes:
    """Return the root of the first `size` leaves."""
    return _range_hash(0, size, store) if _natural(size) else EMPTY_ROOT


def inclusion_path(index: int, size: int, store: NodeStore) -> list[bytes]:
    """Return the siblings from leaf `index` up to the root of the first `size` leaves (2.1.3.1)."""
    if not 0 <= index < _natural(size):
        raise InvalidInputError(f"Leaf {index} does not lie in a tree of {size} leaves.")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + split(end - begin)
        if index < middle:
            path.append(_range_hash(middle, end, store))
            end = middle
        else:
            path.append(_range_hash(begin, middle, store))
            begin = middle
    return path[::-1]


def consistency_proof(first: int, second: int, store: NodeStore) -> list[bytes]:
    """Return the proof that the first `first` leaves are a prefix of the first `second` (2.1.4.1)."""
    if not 0 < first <= second:
        raise InvalidInputError(f"No consistency proof exists from {first} to {second} leaves.")
    path: list[bytes] = []
    begin, end = 0, second
    while first != end:
        middle = begin + split(end - begin)
        if first <= middle:
            path.append(_range_hash(middle, end, store))
            end = middle
        else:
            path.append(_range_hash(begin, middle, store))
            begin = middle
    if begin:
        path.append(_range_hash(begin, end, store))
    return path[::-1]


def split(size: int) -> int:
    """Return the largest power of two below `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _range_hash(begin: int, end: int, store: NodeStore) -> bytes:
    """Hash the leaves from `begin` to `end`; only the right edge of a tree is not complete."""
    size = end - begin
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return store.get(level, begin >> level)
    middle = begin + split(size)
    return node_hash(_range_hash(begin, middle, store), _range_hash(middle, end, store))


def _natural(size: int) -> int:
    if size < 0:
        raise InvalidInputError(f"A tree cannot have {size} leaves.")
    return size


class MemoryTree:
    """A tree whose complete subtrees lie in one list a level."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for data in leaves:
            self.append(data)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0])

    def get(self, level: int, index: int) -> bytes:
        """Return a complete subtree's hash (the `NodeStore` protocol)."""
        return self._levels[level][index]

    def append(self, data: bytes) -> int:
        """Append a leaf's data and return its index."""
        index = self.size
        for node in completed_nodes(index, leaf_hash(data), self):
            if node.level == len(self._levels):
                self._levels.append([])
            self._levels[node.level].append(node.hash)
        return index

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first `size` leaves, of all by default."""
        return root_of(self._known(size), self)

    def inclusion_path(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the inclusion path of a leaf in the tree of the first `size` leaves."""
        return inclusion_path(index, self._known(size), self)

    def consistency_proof(self, first: int, second: int | None = None) -> list[bytes]:
        """Return the consistency proof between two sizes of this tree."""
        return consistency_proof(first, self._known(second), self)

    def _known(self, size: int | None) -> int:
        if size is None:
            return self.size
        if size > self.size:
            raise InvalidInputError(f"The tree has {self.size} leaves, not {size}.")
        return size
