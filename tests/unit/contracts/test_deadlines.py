"""Connections whose time is over are cut, in this process and in one that was forked."""

import os
import socket
import time

import pytest

from contracts.rpc.deadlines import WATCHDOG, Watchdog


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_read_that_gets_nothing_ends_when_its_time_is_over(pair):
    started = time.monotonic()
    with Watchdog().cut_after(pair[0], 0.2):
        assert pair[0].recv(1) == b""
    assert 0.2 <= time.monotonic() - started < 5


def test_a_connection_that_was_in_time_is_left_alone(pair):
    watchdog, other = Watchdog(), socket.socketpair()
    with watchdog.cut_after(pair[0], 0.05):
        pass
    with other[0], other[1], watchdog.cut_after(other[0], 0.2):
        assert other[0].recv(1) == b""
    pair[0].send(b"x")
    assert pair[1].recv(1) == b"x"


# Python 3.12 warns of what is tried here: a process with threads that is forked.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_has_a_watchdog_of_its_own(pair):
    with WATCHDOG.cut_after(pair[1], 60):
        child = os.fork()
        if child == 0:
            with WATCHDOG.cut_after(pair[0], 0.1):
                os._exit(0 if pair[0].recv(1) == b"" and len(WATCHDOG._due) < 2 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
