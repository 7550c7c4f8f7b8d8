"""Which node is asked: pure rules over heads, and the choice over time with a clock of the test's own."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ChainBehindError, ChainUnavailableError, WrongChainError
from contracts.events import BlockHeader
from contracts.rpc.nodes import (
    LOOK_SECONDS,
    MAX_HEAD_AGE_SECONDS,
    MAX_LAG_BLOCKS,
    MAX_PAUSE_SECONDS,
    REWOUND_AFTER_SECONDS,
    NetworkState,
    NodeChoice,
    choose,
    state_of,
)

NOW = 1_800_000_000
OLD = NOW - MAX_HEAD_AGE_SECONDS - 1


def head(number: int, time: int = NOW) -> BlockHeader:
    return BlockHeader(number, number.to_bytes(32), time)


@pytest.mark.parametrize(
    ("sights", "current", "chosen"),
    [
        ({0: head(100), 1: head(100)}, 0, 0),
        ({0: head(100), 1: head(100 + MAX_LAG_BLOCKS)}, 0, 0),
        ({0: head(100), 1: head(101 + MAX_LAG_BLOCKS)}, 0, 1),
        ({0: head(100, OLD), 1: head(101)}, 0, 1),
        ({0: head(100, OLD), 1: head(100, OLD)}, 1, 1),
        ({0: head(90, OLD), 1: head(100, OLD)}, 0, 1),
        ({1: head(99), 2: head(100)}, 0, 2),
        ({1: head(100, OLD), 2: head(99)}, 0, 2),
        ({0: head(5)}, 3, 0),
    ],
    ids=[
        "the one in use is kept",
        "a block or two behind is no lag",
        "one that lags is left",
        "one that stands still is left for one that moves",
        "none is left where the whole network stands still",
        "behind in a frozen network is behind all the same",
        "the highest one follows one that is gone",
        "a fresh head goes before a higher old one",
        "the only one that answers",
    ],
)
def test_the_highest_fresh_node_is_chosen_and_a_good_one_is_kept(sights, current, chosen):
    assert choose(sights, current=current, now=NOW) == chosen


HEADS = st.dictionaries(st.integers(0, 5), st.builds(head, st.integers(0, 50), st.integers(NOW - 300, NOW)), min_size=1)


@given(HEADS, st.integers(0, 5))
def test_the_chosen_node_answered_and_lags_behind_no_fresh_one(sights, current):
    chosen = sights[choose(sights, current=current, now=NOW)]
    fresh = [found.number for found in sights.values() if NOW - found.time <= MAX_HEAD_AGE_SECONDS]
    assert not fresh or max(fresh) - chosen.number <= MAX_LAG_BLOCKS


def test_a_network_that_stands_still_is_told_from_a_node_that_does():
    assert state_of({0: head(9, OLD), 1: head(10)}, now=NOW) is NetworkState.FRESH
    assert state_of({0: head(10, OLD), 1: head(10, OLD)}, now=NOW) is NetworkState.FROZEN
    assert state_of({}, now=NOW) is NetworkState.SILENT


class Nodes:
    """Nodes whose heads a test sets: a `BlockHeader`, or the error of their look."""

    def __init__(self, *heads: BlockHeader | Exception) -> None:
        self.heads = list(heads)
        self.clock = 1_000.0
        self.looks = [0] * len(heads)
        names = [f"node {index}" for index in range(len(heads))]
        self.choice = NodeChoice(names, self._look, monotonic=lambda: self.clock, now=lambda: NOW)

    def _look(self, index: int) -> BlockHeader:
        self.looks[index] += 1
        found = self.heads[index]
        if isinstance(found, Exception):
            raise found
        return found


GONE = ChainUnavailableError("gone")


def test_a_single_node_is_never_looked_at():
    nodes = Nodes(GONE)
    assert nodes.choice.current() == 0
    assert nodes.looks == [0]


def test_nodes_are_looked_at_every_few_seconds_and_no_oftener():
    nodes = Nodes(head(10), head(10))
    for _ in range(5):
        assert nodes.choice.current() == 0
    assert nodes.looks == [1, 1]
    nodes.clock += LOOK_SECONDS
    nodes.heads = [head(10), head(20)]
    assert nodes.choice.current() == 1
    assert nodes.looks == [2, 2]


def test_a_node_that_failed_is_left_at_once_and_not_asked_again_for_a_while():
    nodes = Nodes(head(10), head(10))
    nodes.choice.current()
    nodes.choice.failed(0)
    assert nodes.choice.current() == 1
    nodes.clock += LOOK_SECONDS
    nodes.heads[0] = GONE
    nodes.choice.current()
    before = nodes.looks[0]
    for _ in range(20):
        nodes.clock += LOOK_SECONDS
        nodes.choice.current()
    assert nodes.looks[0] - before < 6
    nodes.heads[0] = head(30)
    nodes.clock += MAX_PAUSE_SECONDS
    assert nodes.choice.current() == 0


def test_where_no_node_answers_each_call_asks_again_and_says_why():
    nodes = Nodes(GONE, ChainUnavailableError("cut"))
    for _ in range(2):
        with pytest.raises(ChainUnavailableError, match="cut; gone"):
            nodes.choice.current()
    assert nodes.looks == [2, 2]


def test_what_no_waiting_helps_against_is_handed_on():
    nodes = Nodes(WrongChainError("other"), WrongChainError("other"))
    with pytest.raises(WrongChainError):
        nodes.choice.current()
    nodes.heads[1] = head(1)
    nodes.clock += MAX_PAUSE_SECONDS
    assert nodes.choice.current() == 1


def test_what_was_shown_is_not_taken_back_by_a_node_that_is_behind():
    nodes = Nodes(head(100), head(98))
    nodes.choice.current()
    nodes.choice.showed(100)
    nodes.heads[0] = GONE
    nodes.choice.failed(0)
    with pytest.raises(ChainBehindError) as behind:
        nodes.choice.current()
    assert behind.value.retryable
    nodes.heads[1] = head(100)
    assert nodes.choice.current() == 1


def test_a_chain_that_all_nodes_show_shorter_is_shown_in_the_end():
    """So that dispatcher and projector see it, and raise their alarm."""
    nodes = Nodes(head(100), head(100))
    nodes.choice.current()
    nodes.choice.showed(100)
    nodes.heads = [head(40), head(40)]
    nodes.clock += LOOK_SECONDS
    with pytest.raises(ChainBehindError):
        nodes.choice.current()
    nodes.clock += REWOUND_AFTER_SECONDS
    assert nodes.choice.current() == 0


def test_a_pinned_node_is_kept_though_it_lags_and_left_when_it_fails():
    nodes = Nodes(head(10), head(10))
    nodes.choice.current()
    nodes.heads[1] = head(50)
    nodes.clock += LOOK_SECONDS
    with nodes.choice.pinned():
        assert nodes.choice.current() == 0
        nodes.choice.failed(0)
        assert nodes.choice.current() == 1


def test_all_heads_can_be_asked_for():
    nodes = Nodes(head(10), GONE)
    assert nodes.choice.sights() == {"node 0": head(10), "node 1": None}


def test_while_one_thread_looks_another_is_served_by_the_node_in_use():
    looking, go_on = threading.Event(), threading.Event()

    def look(index: int) -> BlockHeader:
        if index == 1 and looked:
            looking.set()
            assert go_on.wait(10)
        return head(10)

    looked: list[bool] = []
    choice = NodeChoice(["one", "two"], look, monotonic=lambda: clock[0], now=lambda: NOW)
    clock = [0.0]
    assert choice.current() == 0
    looked.append(True)
    clock[0] = LOOK_SECONDS
    slow = threading.Thread(target=choice.current)
    slow.start()
    assert looking.wait(10)
    assert choice.current() == 0
    go_on.set()
    slow.join(10)
    assert not slow.is_alive()
