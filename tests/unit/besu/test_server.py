"""The socket before a node, and how it fails on command."""

import http.client
import json

import pytest

from tests.besu.faults import Fault
from tests.besu.node import Node
from tests.besu.server import serve
from tests.unit.besu.asking import new_account, signed

QUESTION = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})


def _ask(server, body=QUESTION):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=0.5)
    try:
        connection.request("POST", "/", body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.fixture
def server():
    with serve() as found:
        yield found


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.EMPTY, 200), (Fault.GARBAGE, 200), (Fault.OTHER_JSON, 200), (Fault.FAILED, 500), (Fault.PROXY, 502)],
)
def test_a_page_that_is_no_answer_comes_once_and_then_the_node_again(server, fault, status):
    server.fail(fault, times=1)
    assert _ask(server)[0] == status
    assert b"0x4f25" in _ask(server)[1]


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.RESET, Fault.HALF])
def test_a_connection_that_fails_is_an_error_at_the_client(server, fault):
    server.fail(fault, times=1)
    with pytest.raises((OSError, http.client.HTTPException)):
        _ask(server)
    assert b"0x4f25" in _ask(server)[1]


def test_a_slow_answer_comes_in_the_end(server):
    server.fail(Fault.SLOW, times=1)
    assert b"0x4f25" in _ask(server)[1]


def test_a_fault_may_meet_one_method_alone(server):
    server.fail(Fault.FAILED, method="eth_blockNumber")
    assert _ask(server)[0] == 200
    assert _ask(server, QUESTION.replace("eth_chainId", "eth_blockNumber"))[0] == 500
    server.heal()
    assert _ask(server, QUESTION.replace("eth_chainId", "eth_blockNumber"))[0] == 200
    assert server.methods == ["eth_chainId", "eth_blockNumber", "eth_blockNumber"]


def test_a_stopped_server_refuses_connections_and_comes_back_on_its_port(server):
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        _ask(server)
    server.start()
    assert _ask(server)[0] == 200


def test_a_restarted_server_has_lost_its_pool():
    with serve(Node()) as server:
        server.node.ask("eth_sendRawTransaction", [signed(new_account(), 0)])
        server.restart()
        assert len(server.node.pool) == 0
        assert _ask(server)[0] == 200
