"""Over a real socket: each recorded question with its recorded answer, status and content type."""

import http.client
import json

import pytest

from tests.besu.node import Node
from tests.besu.recordings import EXCHANGES, lines, rows
from tests.besu.replay import Replay, recorded_node
from tests.besu.server import serve
from tests.unit.besu.sessions import REPEATED, body_of

# The row holds less than was sent, so a question of the row's form has another answer or is asked of the model.
_SHORTENED = ("http: request of 6 MB",)


@pytest.mark.parametrize("file", EXCHANGES)
def test_every_recorded_exchange_is_replayed_in_its_order(file):
    with serve(Node(), respond=Replay(rows(file))) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        for row in rows(file):
            if row.label in REPEATED or row.label in _SHORTENED:
                continue
            connection.request(row.verb, row.path, body_of(row) or None, row.headers)
            answer = connection.getresponse()
            body = answer.read().decode()
            wanted = row.response if isinstance(row.response, str) else json.dumps(row.response)
            assert (answer.status, answer.headers["Content-Type"], body) == (row.status, row.content_type, wanted)
        connection.close()


def test_a_question_comes_back_under_the_id_that_it_was_asked_with():
    found = next(row for row in rows("rpc") if row.label == "eth_call failReason")
    with serve(Node(), respond=Replay()) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("POST", "/", json.dumps(found.request | {"id": "mine"}))
        answer = json.load(connection.getresponse())
        connection.close()
    assert answer == found.response | {"id": "mine"}


def test_the_recorded_node_knows_blocks_logs_calls_and_proofs():
    node = recorded_node()
    asked = {row.label: row for row in rows("rpc")}
    assert node.ask("eth_blockNumber", []) == hex(110)
    for label in ("eth_call ok", "logs: genesis to latest, validator source", "receipt, type 2"):
        row = asked[label]
        result = node.ask(row.request["method"], row.request["params"])
        assert result == row.response["result"] or label.startswith("logs")
    logs = node.ask("eth_getLogs", asked["logs: genesis to latest, validator source"].request["params"])
    assert len(logs) == 10
    proof = lines("proofs.jsonl")[0]
    assert node.ask("eth_getProof", proof["request"]["params"]) == proof["response"]["result"]
