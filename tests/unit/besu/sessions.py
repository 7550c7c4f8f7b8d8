"""The recorded sessions, asked of the model in the recorded order, each question in the state it was asked in."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.besu.exchange import Reply, Request, answer
from tests.besu.ledger import recorded_blocks, recorded_ledger, recorded_receipts
from tests.besu.node import Node
from tests.besu.rebuilding import raw_of
from tests.besu.recordings import Row, rows
from tests.besu.transactions import decode

# The height at which a question was asked, where it was another than the one before.
HEIGHTS = {
    "send: contract creation": 3,
    "receipt of a contract creation": 4,
    "send: type 0": 5,
    "receipt, type 0": 6,
    "receipt: creation refused by its constructor": 8,
    "eth_call failReason": 9,
    "receipt: reverted failReason": 10,
    "send: legacy without chain id": 15,
    "receipt: indexed string, bytes, array and an anonymous event": 16,
    "validators, latest": 18,
    "validators, block of a change -1": 22,
    "receipt: replace by a stranger": 24,
    "send: type 2, zero fees": 54,
    "send: same bytes, already mined": 55,
    "receipt of the replacement": 56,
    "a stuck account after it was funded: count latest": 58,
    "filter: block changes": 59,
    "peer count with one node stopped": 67,
    "two of four stopped: transaction still accepted": 94,
    "receipt of the transaction sent while the chain stood still": 95,
}
PEERS = {
    "client version": 4,
    "peer count with one node stopped": 3,
    "two of four stopped: transaction still accepted": 2,
}
# Sent without being written down; their bytes stand in block 56.
UNRECORDED = {"send: nonce 613 ahead of an account that sent none": (*("0x6e66757f", "0x446bca6e"),)}
# The row holds the first item of the batch, and the first two of its answer.
REPEATED = {"http: batch of 1024": 1024, "http: batch of 1025": 1025}


@dataclass
class MainSession:
    """Node 0 of the recorded network, moved on block by block as the recording went."""

    node: Node = field(default_factory=lambda: Node(recorded_ledger(until=2)))

    def __post_init__(self) -> None:
        self._blocks, self._receipts = recorded_blocks(), recorded_receipts()
        self._transactions = {t["hash"]: t for block in self._blocks for t in block["transactions"]}

    def run(self) -> Iterator[tuple[Row, Reply]]:
        for row in rows("rpc"):
            self._prepare(row)
            if row.node == 0:
                yield row, ask(self.node, row)

    def _prepare(self, row: Row) -> None:
        self.advance(HEIGHTS.get(row.label, 0))
        if row.label in PEERS:
            self.node.peers = [f"enode://{n:0128x}@127.0.0.1:30303" for n in range(PEERS[row.label])]
        for start in UNRECORDED.get(row.label, ()):
            found = next(t for name, t in self._transactions.items() if name.startswith(start))
            self.node.ask("eth_sendRawTransaction", ["0x" + raw_of(found).hex()])

    def advance(self, height: int) -> None:
        """Let the node see the recorded blocks up to this height."""
        for number in range(self.node.ledger.head + 1, height + 1):
            self.node.ledger.append(self._blocks[number], self._receipts.get(number, ()))
            self.node.see(self._blocks[number])


def ask(node: Node, row: Row, *, headers: dict[str, str] | None = None) -> Reply:
    """Put a recorded question to a node, without a socket between."""
    sent = {"Host": "127.0.0.1:8545"} | (row.headers if headers is None else headers)
    return answer(node, Request(row.verb, row.path, sent, body_of(row)))


def body_of(row: Row) -> bytes:
    if row.request is None:
        return b""
    if row.label in REPEATED:
        return json.dumps(row.request * REPEATED[row.label]).encode()
    return row.request.encode() if isinstance(row.request, str) else json.dumps(row.request).encode()


def differences(row: Row, reply: Reply) -> str:
    """What differs between a recorded answer and the model's, empty if nothing does."""
    try:
        found: Any = json.loads(reply.body)
    except ValueError:
        found = reply.body.decode()
    if row.label in REPEATED and isinstance(found, list):
        found = found[:2]
    wanted = (row.status, row.content_type, _ordered(row, row.response))
    given = (reply.status, reply.content_type, _ordered(row, found))
    return "" if wanted == given else f"{row.name}: recorded {str(wanted)[:300]}, the model says {str(given)[:300]}"


def _ordered(row: Row, response: Any) -> Any:
    """Signer metrics come in the order of a hash map."""
    if "signer metrics" not in row.label.lower() and "getSignerMetrics" not in row.label:
        return response
    result = response.get("result") if isinstance(response, dict) else None
    by_address: Callable[[dict[str, str]], str] = lambda item: item["address"]  # noqa: E731
    return sorted(result, key=by_address) if isinstance(result, list) else response


def sender_of(row: Row) -> str:
    """Who signed the recorded transaction."""
    return decode(row.request["params"][0]).sender
