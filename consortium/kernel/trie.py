"""The compact binary trie of consent epochs, cohorts and revocations (protocol section 3).

A key of 32 bytes is walked bit by bit from its most significant one, 0 to the left. A subtree with one
leaf is that leaf, one without any is `EMPTY`; so a set of pairs has exactly one trie, no key lies in it
twice, and a change touches about log2 n nodes. Hashes are SHA-256 over fixed widths behind a tag each:

    leaf   H("consilium/trie/1/leaf" || key || value)
    branch H("consilium/trie/1/branch" || left || right)
    root   tagged_hash("consilium/trie/1/root", kind, count in 8 bytes, top)

The exact leaf count is inside the root's preimage alone. A proof opens it to whoever gets the proof.
Tries are immutable: a changed one shares every untouched subtree with the one before.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from consortium.kernel.errors import InvalidInputError
from consortium.kernel.hashing import require_hash, tagged_hash

KEY_BITS = 256
_LEAF_TAG = b"consilium/trie/1/leaf"
_BRANCH_TAG = b"consilium/trie/1/branch"
EMPTY = hashlib.sha256(b"consilium/trie/1/empty").digest()


class Leaf(NamedTuple):
    """A key and its value, 32 bytes each, and their hash."""

    key: bytes
    value: bytes
    hash: bytes


class Branch(NamedTuple):
    """Two subtrees, at least two leaves between them; None is an empty one."""

    left: "Leaf | Branch | None"
    right: "Leaf | Branch | None"
    hash: bytes


Subtree = Leaf | Branch | None
_Change = tuple[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class TrieProof:
    """The way from the root to where a key lies or would lie.

    `siblings` come from the root downwards. `terminal` is the leaf at the end of the way, the key's own
    or another one with the same first bits, or None where the way ends in an empty subtree.
    """

    count: int
    siblings: tuple[bytes, ...]
    terminal: tuple[bytes, bytes] | None


class Trie:
    """An immutable set of (key, value) pairs under one root; `kind` separates uses of it."""

    def __init__(self, kind: str, items: Mapping[bytes, bytes] | None = None) -> None:
        pairs = _sorted_changes(items or {}, ())
        self._set(kind, _updated(None, pairs, 0), len(pairs))

    def _set(self, kind: str, top: Subtree, count: int) -> None:
        self.kind, self.count, self._top = kind, count, top
        self.root = trie_root(kind, count, subtree_hash(top))

    def changed(self, put: Mapping[bytes, bytes] | None = None, removed: Sequence[bytes] = ()) -> "Trie":
        """Return the trie with pairs put (new or replaced) and keys removed, all in one walk.

        Raises
        ------
        InvalidInputError
            If a removed key is not there, or is also put, or a key or value has not 32 bytes.
        """
        put = put or {}
        if missing := [key for key in removed if key not in self]:
            raise InvalidInputError(f"{len(missing)} keys to remove are not in the trie.")
        changes = _sorted_changes(put, removed)
        count = self.count - len(set(removed)) + sum(key not in self for key in put)
        trie = Trie.__new__(Trie)
        trie._set(self.kind, _updated(self._top, changes, 0), count)
        return trie

    def __contains__(self, key: bytes) -> bool:
        return self.get(key) is not None

    def get(self, key: bytes) -> bytes | None:
        """Return the key's value, or None."""
        *_, end = self._way(key)
        return end.value if isinstance(end, Leaf) and end.key == key else None

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the pairs in the order of their keys."""
        waiting = [self._top]
        while waiting:
            node = waiting.pop()
            if isinstance(node, Leaf):
                yield node.key, node.value
            elif node is not None:
                waiting += [node.right, node.left]

    def prove(self, key: bytes) -> TrieProof:
        """Return the proof that the key lies in the trie, or that it does not: see `trie_proofs`."""
        *branches, end = self._way(key)
        siblings = [
            subtree_hash(node.left if key_bit(key, depth) else node.right)
            for depth, node in enumerate(branches)
            if isinstance(node, Branch)
        ]
        terminal = (end.key, end.value) if isinstance(end, Leaf) else None
        return TrieProof(self.count, tuple(siblings), terminal)

    def _way(self, key: bytes) -> list[Subtree]:
        node, way = self._top, [self._top]
        require_hash(key, "key")
        while isinstance(node, Branch):
            node = node.right if key_bit(key, len(way) - 1) else node.left
            way.append(node)
        return way


def key_bit(key: bytes, depth: int) -> int:
    """Return the key's bit that decides at this depth, the most significant bit at depth 0."""
    return key[depth >> 3] >> (7 - (depth & 7)) & 1


def leaf_node_hash(key: bytes, value: bytes) -> bytes:
    """Return the hash of a leaf, over its key and value of 32 bytes each."""
    return hashlib.sha256(_LEAF_TAG + key + value).digest()


def branch_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a branch, over the hashes of its two subtrees."""
    return hashlib.sha256(_BRANCH_TAG + left + right).digest()


def subtree_hash(node: Subtree) -> bytes:
    """Return a subtree's hash, `EMPTY` for none."""
    return EMPTY if node is None else node.hash


def trie_root(kind: str, count: int, top: bytes) -> bytes:
    """Return the root: what the trie is for, how many leaves it has, and its top subtree's hash."""
    if not 0 <= count < 2**64:
        raise InvalidInputError(f"A trie cannot have {count} leaves.")
    return tagged_hash("consilium/trie/1/root", kind.encode(), count.to_bytes(8, "big"), top)


def _sorted_changes(put: Mapping[bytes, bytes], removed: Sequence[bytes]) -> list[_Change]:
    changes: list[_Change] = [(key, require_hash(value, "value")) for key, value in put.items()]
    changes += [(key, None) for key in set(removed)]
    for key, _ in changes:
        require_hash(key, "key")
    if any(key in put for key in removed):
        raise InvalidInputError("A key is both put and removed. Say one of the two.")
    return sorted(changes, key=lambda change: change[0])


def _updated(node: Subtree, changes: list[_Change], depth: int) -> Subtree:
    """Apply changes, sorted by key and all with this subtree's prefix, and keep it compact."""
    if not changes:
        return node
    if not isinstance(node, Branch):
        pairs = [change for change in changes if change[1] is not None]
        if node is not None and all(key != node.key for key, _ in changes):
            pairs.insert(bisect_left(pairs, node.key, key=lambda pair: pair[0]), (node.key, node.value))
        return _built(pairs, depth)
    middle = _first_right(changes, depth)
    left = _updated(node.left, changes[:middle], depth + 1)
    right = _updated(node.right, changes[middle:], depth + 1)
    return _joined(left, right)


def _built(pairs: list[_Change], depth: int) -> Subtree:
    if len(pairs) < 2:
        return next((Leaf(key, value, leaf_node_hash(key, value)) for key, value in pairs if value is not None), None)
    middle = _first_right(pairs, depth)
    return _joined(_built(pairs[:middle], depth + 1), _built(pairs[middle:], depth + 1))


def _first_right(changes: list[_Change], depth: int) -> int:
    return bisect_left(changes, 1, key=lambda change: key_bit(change[0], depth))


def _joined(left: Subtree, right: Subtree) -> Subtree:
    # A leaf left alone moves up, so that the trie does not remember what was removed.
    if left is None and not isinstance(right, Branch):
        return right
    if right is None and not isinstance(left, Branch):
        return left
    return Branch(left, right, branch_hash(subtree_hash(left), subtree_hash(right)))
