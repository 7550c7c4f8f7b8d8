from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.log.frontier import Frontier
from consortium.kernel.merkle import EMPTY_ROOT, MemoryTree, leaf_hash

LEAVES = [str(number).encode() for number in range(300)]
TREE = MemoryTree(LEAVES)


def grown(size: int) -> Frontier:
    frontier = Frontier()
    for data in LEAVES[:size]:
        frontier.append(leaf_hash(data))
    return frontier


def test_an_empty_frontier_has_the_empty_root():
    assert Frontier().root() == EMPTY_ROOT


def test_every_size_has_the_root_of_the_whole_tree():
    frontier = Frontier()
    for size, data in enumerate(LEAVES, start=1):
        frontier.append(leaf_hash(data))
        assert frontier.size == size
        assert frontier.root() == TREE.root(size)


@settings(max_examples=50)
@given(st.integers(0, 299), st.integers(0, 20))
def test_a_frontier_read_from_stored_nodes_grows_like_the_one_that_never_stopped(size, more):
    stored = {level: TREE.get(level, index) for level, index in Frontier.coordinates(size)}
    resumed, whole = Frontier(size, stored), grown(size)
    for data in LEAVES[size : size + more]:
        assert resumed.append(leaf_hash(data)) == whole.append(leaf_hash(data))
    assert resumed.root() == whole.root() == TREE.root(min(size + more, 300))


@settings(max_examples=50)
@given(st.integers(1, 300))
def test_the_edge_covers_every_leaf_once(size):
    ranges = sorted((index << level, (index + 1) << level) for level, index in Frontier.coordinates(size))
    assert ranges[0][0] == 0
    assert ranges[-1][1] == size
    assert all(left[1] == right[0] for left, right in pairwise(ranges))
