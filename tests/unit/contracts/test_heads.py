"""New blocks heard of by a web socket, and what is done while there is none."""

import time

import pytest

from contracts.gateway import Gateway
from contracts.management.commands import project
from contracts.rpc import heads
from contracts.rpc.heads import HeadListener
from tests.besu.node import Node
from tests.besu.recordings import CHAIN_ID
from tests.besu.server import serve
from tests.besu.websocket import serve_websocket


@pytest.fixture
def node():
    return Node()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(heads, "FIRST_PAUSE_SECONDS", 0.01)


def test_a_block_is_heard_of_when_it_comes_and_not_before(node):
    with serve_websocket(node) as socket:
        listener = HeadListener(socket.url).start()
        try:
            assert listener.wait_until_listening(5)
            assert listener.wait(5)
            assert not listener.wait(0.05)
            node.mine()
            assert listener.wait(5)
            assert not listener.wait(0.05)
        finally:
            listener.stop()


def test_a_cut_socket_wakes_whoever_waits_and_is_opened_again(node, quick):
    with serve_websocket(node) as socket:
        listener = HeadListener(socket.url).start()
        try:
            assert listener.wait_until_listening(5)
            listener.wait(5)
            socket.cut()
            listener.wait(5)
            assert listener.wait_until_listening(5)
            _mine_until_heard(node, listener)
        finally:
            listener.stop()


def test_a_node_without_a_web_socket_leaves_the_caller_to_look(quick):
    listener = HeadListener("ws://127.0.0.1:9").start()
    try:
        assert not listener.wait_until_listening(0.2)
        assert not listener.wait(0.05)
    finally:
        listener.stop()


def test_a_listener_ends_at_once_when_it_is_stopped(node):
    with serve_websocket(node) as socket:
        listener = HeadListener(socket.url).start()
        assert listener.wait_until_listening(5)
        started = time.monotonic()
        listener.stop()
        assert time.monotonic() - started < 3


def _mine_until_heard(node, listener):
    deadline = time.monotonic() + 5
    while not listener.wait(0.2):
        node.mine()
        assert time.monotonic() < deadline


def _looked(server, follower) -> int:
    """How often the node is asked while a follower waits in vain for a block."""
    follower.seen = follower.chain.head()
    before = len(server.requests)
    assert follower._next_head() == follower.seen
    return len(server.requests) - before


def test_the_projector_hears_of_a_block_and_asks_far_less_than_without(node, monkeypatch):
    monkeypatch.setattr(project, "IDLE_SECONDS", 1.0)
    with serve(node) as server, serve_websocket(node) as socket:
        chain = Gateway([server.url], chain_id=CHAIN_ID)
        listener = HeadListener(socket.url).start()
        try:
            assert listener.wait_until_listening(5)
            listener.wait(5)
            follower = project._Follower(chain, listener)
            assert _looked(server, follower) * 2 < _looked(server, project._Follower(chain))

            node.mine()
            assert follower._next_head() == chain.head() != follower.seen
        finally:
            listener.stop()


def test_the_projector_looks_by_itself_while_the_socket_is_away(node, quick):
    listener = HeadListener("ws://127.0.0.1:9").start()
    try:
        with serve(node) as server:
            chain = Gateway([server.url], chain_id=CHAIN_ID)
            follower = project._Follower(chain, listener)
            follower.seen = chain.head()
            node.mine()
            assert follower._next_head() == chain.head() != follower.seen
    finally:
        listener.stop()
