"""The right edge of a growing tree: the complete subtrees that make up a size, one a level at most."""

from collections.abc import Mapping

from consortium.kernel.merkle import Node, completed_nodes, root_of


class Frontier:
    """What a tree of `size` leaves needs to grow and to know its root: O(log n) hashes.

    Serves as the kernel's node store for exactly this size: on each level the last complete
    subtree that is not a left half of another one.
    """

    def __init__(self, size: int = 0, hashes: Mapping[int, bytes] | None = None) -> None:
        self.size = size
        self._hashes = dict(hashes or {})

    def get(self, level: int, index: int) -> bytes:
        """Return the hash of the edge's subtree on that level (the `NodeStore` protocol)."""
        return self._hashes[level]

    def append(self, leaf: bytes) -> list[Node]:
        """Grow by one leaf hash; return the nodes that it completes, the leaf first."""
        nodes = completed_nodes(self.size, leaf, self)
        for node in nodes[:-1]:
            self._hashes.pop(node.level, None)
        self._hashes[nodes[-1].level] = nodes[-1].hash
        self.size += 1
        return nodes

    def root(self) -> bytes:
        """Return the root of the present size."""
        return root_of(self.size, self)

    @staticmethod
    def coordinates(size: int) -> list[tuple[int, int]]:
        """Return (level, index) of the edge's subtrees at a size: one for each bit that is set."""
        return [(level, (size >> level) - 1) for level in range(size.bit_length()) if size >> level & 1]
