"""The recorded conversation over a web socket, held again with the model over a real one."""

import json
from collections import defaultdict

import pytest
from websockets.sync.client import connect

from tests.besu.ledger import recorded_blocks, recorded_ledger, recorded_receipts
from tests.besu.node import Node
from tests.besu.rebuilding import raw_of
from tests.besu.recordings import lines
from tests.besu.websocket import serve_websocket

MESSAGES = lines("ws.jsonl")
SENT = [found["message"] for found in MESSAGES if found["way"] == "sent"]
RECEIVED = [found["message"] for found in MESSAGES if found["way"] == "received"]


@pytest.fixture
def node():
    return Node(recorded_ledger(until=18))


def test_the_recorded_conversation_is_held_again(node):
    with serve_websocket(node) as socket, connect(socket.url, max_size=2**24) as client:
        for message in SENT[:7]:
            client.send(json.dumps(message))
        got = [json.loads(client.recv(5)) for _ in range(7)]
        _follow(node)
        got += [json.loads(client.recv(5)) for _ in range(sum("method" in message for message in RECEIVED))]
        for message in SENT[7:]:
            client.send(message if isinstance(message, str) else json.dumps(message))
        got += [json.loads(client.recv(5)) for _ in SENT[7:]]

    assert _answers(got) == _answers(RECEIVED)
    assert _notifications(got) == _notifications(RECEIVED)


def test_the_logs_of_a_block_come_before_its_head(node):
    with serve_websocket(node) as socket, connect(socket.url, max_size=2**24) as client:
        client.send(json.dumps({"id": 1, "method": "eth_subscribe", "params": ["newHeads"]}))
        client.send(json.dumps({"id": 2, "method": "eth_subscribe", "params": ["logs", {}]}))
        assert [json.loads(client.recv(5))["result"] for _ in range(2)] == ["0x1", "0x2"]
        _follow(node, until=20)
        told = [json.loads(client.recv(5))["params"]["subscription"] for _ in range(3)]
    assert told == ["0x1", "0x2", "0x1"]


def _follow(node, until=31):
    """Blocks 19 to 31 as they came, each with what was pending before it, in the order that was announced."""
    blocks, receipts = recorded_blocks(), recorded_receipts()
    announced = [m["params"]["result"] for m in RECEIVED if m.get("params", {}).get("subscription") == "0x4"]
    waiting = {t["hash"]: t for block in blocks for t in block["transactions"]}
    for number in range(19, until + 1):
        mined = {t["hash"] for t in blocks[number]["transactions"]}
        for transaction_hash in [found for found in announced if found in mined]:
            node.ask("eth_sendRawTransaction", ["0x" + raw_of(waiting[transaction_hash]).hex()])
        node.ledger.append(blocks[number], receipts.get(number, ()))
        node.see(blocks[number])


def _answers(messages):
    return {json.dumps(m["id"]): m for m in messages if "method" not in m}


def _notifications(messages):
    """By subscription, in the order in which they came."""
    found = defaultdict(list)
    for message in messages:
        if "method" in message:
            found[message["params"]["subscription"]].append(message["params"]["result"])
    return found
