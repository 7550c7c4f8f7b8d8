"""How many blocks of events are asked for at once: learnt from the node, and never a gap or an overlap."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.artifacts import Artifacts
from contracts.errors import ChainTimeoutError, RangeTooLargeError, WindowAboveHeadError
from contracts.events import ContractReference
from contracts.gateway import Gateway
from contracts.rpc.log_windows import MAX_WINDOW_BLOCKS, TRY_AGAIN_AFTER, WindowSize, read_logs
from tests.besu.recordings import CHAIN_ID, DATA
from tests.besu.replay import recorded_node
from tests.besu.server import serve

ARTIFACTS = Artifacts([DATA / "contracts"])
RECORDER = ContractReference("Recorder", "0x221EDC9c97365E06dA77B157cEfa535E04efA52D")


class Limited:
    """A node that gives at most so many blocks at once, without events."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.asked = 0
        self.given: list[tuple[int, int]] = []

    def __call__(self, method, parameters):
        self.asked += 1
        first, last = int(parameters[0]["fromBlock"], 16), int(parameters[0]["toBlock"], 16)
        if last - first + 1 > self.limit:
            raise RangeTooLargeError("too many")
        self.given.append((first, last))
        return []


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 6_000), st.integers(0, 3_000), st.integers(0, 30_000))
def test_every_block_is_read_once_whatever_the_node_allows(limit, first, length):
    node = Limited(limit)
    # A tiny limit over a long range is many requests by its nature.
    last = first + min(length, limit * 200)
    assert read_logs(node, ARTIFACTS, [RECORDER], first, last) == []
    assert (node.given[0][0], node.given[-1][1]) == (first, last)
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(node.given))


@pytest.mark.parametrize("limit", [1, 7, 11, 1_000, 4_999, 5_000])
def test_the_largest_window_is_found_and_kept(limit):
    node, size = Limited(limit), WindowSize()
    read_logs(node, ARTIFACTS, [RECORDER], 0, limit * 40, size)
    node.asked = 0
    read_logs(node, ARTIFACTS, [RECORDER], 0, limit * 32 - 1, size)
    # Twice meanwhile a larger one is tried, in vain.
    assert node.asked <= 32 + 32 // TRY_AGAIN_AFTER


def test_a_window_grows_again_when_the_node_allows_more():
    node, size = Limited(10), WindowSize()
    read_logs(node, ARTIFACTS, [RECORDER], 0, 300, size)
    node.limit = 6_000
    read_logs(node, ARTIFACTS, [RECORDER], 0, 40_000, size)
    assert size.blocks == MAX_WINDOW_BLOCKS


def test_a_window_that_takes_too_long_is_made_smaller():
    asked = []

    def ask(method, parameters):
        first, last = int(parameters[0]["fromBlock"], 16), int(parameters[0]["toBlock"], 16)
        asked.append(last - first + 1)
        if last - first > 1_000:
            raise ChainTimeoutError("slow")
        return []

    read_logs(ask, ARTIFACTS, [RECORDER], 1, 5_000)
    assert asked[:4] == [5_000, 2_500, 1_250, 625]
    assert max(asked[3:]) <= 1_250


def test_a_window_above_the_head_is_not_tried_smaller():
    """Besu's -32602: fewer blocks do not help, the node has to be asked for its head again."""

    def ask(method, parameters):
        raise WindowAboveHeadError("above")

    with pytest.raises(WindowAboveHeadError) as above:
        read_logs(ask, ARTIFACTS, [RECORDER], 1, 5_000)
    assert above.value.retryable


def test_a_node_with_a_limit_is_read_in_windows_that_fit_it():
    with serve(recorded_node(max_logs_range=10)) as server:
        gateway = Gateway([server.url], chain_id=CHAIN_ID, artifacts=ARTIFACTS)
        assert len(gateway.logs([RECORDER], 0, 110)) == 87
        server.requests.clear()
        assert len(gateway.logs([RECORDER], 0, 110)) == 87
        assert server.methods.count("eth_getLogs") <= 13
