"""Requests in one batch: answered in any order, each by itself, or refused as a whole."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contracts.artifacts import Artifacts
from contracts.errors import (
    BatchTooLargeError,
    ChainError,
    ChainInternalError,
    ChainUnavailableError,
    KnownTransactionError,
    NonceTooDistantError,
    NonceTooLowError,
    TransactionRevertedError,
)
from contracts.gateway import Gateway
from contracts.interface import MAX_BATCH, Trial
from tests.besu.exchange import Reply, answer
from tests.besu.recordings import CHAIN_ID, DATA, row
from tests.besu.refusals import Refusal, batch_too_large, unauthorized
from tests.besu.replay import recorded_node
from tests.besu.server import Server, serve

ARTIFACTS = Artifacts([DATA / "contracts"])
RECORDER = "0x221EDC9c97365E06dA77B157cEfa535E04efA52D"


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(recorded_node()) as found:
        yield found


@pytest.fixture
def gateway(server: Server) -> Gateway:
    return Gateway([server.url], chain_id=CHAIN_ID, artifacts=ARTIFACTS, timeout_seconds=5)


def batches(server: Server) -> list[int]:
    """How many requests each batch held."""
    bodies = [json.loads(request.body) for request in server.requests]
    return [len(body) for body in bodies if isinstance(body, list)]


def mangle_with(server: Server, change: Callable[[list[Any]], list[Any]]) -> None:
    """Let batches be answered with their answers changed so."""

    def respond(node: Any, request: Any) -> Reply:
        reply = answer(node, request)
        found = json.loads(reply.body)
        return Reply(200, json.dumps(change(found)).encode()) if isinstance(found, list) else reply

    server.respond = respond


def refusing(refusal: Refusal) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        raise refusal

    return refuse


def test_a_batch_of_long_transactions_goes_in_requests_that_a_node_takes(gateway, server):
    """Besu refuses a body above 5 MiB whole, and would do so at each attempt."""
    taken: list[str] = []

    def take(raw: str) -> str:
        taken.append(raw)
        return f"0x{len(taken):064x}"

    server.node.methods["eth_sendRawTransaction"] = take
    raws = [bytes([place]) * 130_000 for place in range(40)]

    assert gateway.send_raw_many(raws) == [place.to_bytes(32, "big") for place in range(1, 41)]

    assert taken == ["0x" + raw.hex() for raw in raws]
    assert max(len(request.body) for request in server.requests) < 5 * 2**20
    assert batches(server) == [16, 16, 8]


def test_one_request_that_is_longer_than_all_goes_alone(gateway, server):
    server.node.methods["eth_sendRawTransaction"] = lambda raw: "0x" + "11" * 32
    found = gateway.send_raw_many([b"a", b"b" * (3 * 2**20), b"c"])
    assert (len(found), batches(server)) == (3, [1, 1, 1])


def test_each_transaction_of_a_batch_has_its_own_answer(gateway, server):
    """The node refuses the middle and goes on behind it."""
    error = row("rpc", "send: same bytes, already mined").response["error"]
    raw_answers: list[str | Refusal] = [
        "0x" + "11" * 32,
        Refusal(-32000, row("rpc", "send: same bytes, still in pool").response["error"]["message"]),
        Refusal(-32000, row("rpc", "send: nonce 615 ahead of an account that sent none").response["error"]["message"]),
        "0x" + "22" * 32,
        Refusal(error["code"], error["message"]),
    ]

    def take(raw: str) -> str:
        found = raw_answers.pop(0)
        if isinstance(found, Refusal):
            raise found
        return found

    server.node.methods["eth_sendRawTransaction"] = take
    answers = gateway.send_raw_many([bytes([number]) for number in range(5)])

    assert [answers[0], answers[3]] == [b"\x11" * 32, b"\x22" * 32]
    assert [type(answers[index]) for index in (1, 2, 4)] == [
        KnownTransactionError,
        NonceTooDistantError,
        NonceTooLowError,
    ]
    assert batches(server) == [5]


def test_answers_in_another_order_are_matched_by_their_ids(gateway, server):
    hashes = [bytes.fromhex(found["transactionHash"][2:]) for found in server.node.ledger.receipts.values()]
    mangle_with(server, lambda answers: list(reversed(answers)))

    found = gateway.receipts([*hashes, b"\x01" * 32])
    assert [receipt.transaction_hash for receipt in found[:-1]] == hashes
    assert found[-1] is None


@pytest.mark.parametrize("mangle", [lambda answers: answers[:-1], lambda answers: [answers[0]] * len(answers)])
def test_a_batch_that_is_not_the_one_asked_for_is_no_answer(gateway, server, mangle):
    mangle_with(server, mangle)
    with pytest.raises(ChainInternalError, match="another batch"):
        gateway.receipts([b"\x01" * 32, b"\x02" * 32])


def test_a_batch_refused_as_a_whole_is_one_error(gateway, server):
    gateway.check_chain()
    whole = json.dumps({"jsonrpc": "2.0", "id": None, "error": batch_too_large().error}).encode()
    server.respond = lambda node, request: Reply(200, whole)
    with pytest.raises(BatchTooLargeError, match="batch"):
        gateway.receipts([b"\x01" * 32])


def test_a_node_that_is_gone_fails_the_batch_and_the_next_one_is_asked(server):
    with serve(recorded_node()) as gone:
        gateway = Gateway([gone.url, server.url], chain_id=CHAIN_ID, artifacts=ARTIFACTS)
        gateway.head()
    with pytest.raises(ChainUnavailableError):
        gateway.receipts([b"\x01" * 32])
    assert gateway.receipts([b"\x01" * 32]) == [None]


def test_no_batch_is_larger_than_the_limit(gateway, server):
    assert gateway.receipts([bytes(32)] * (2 * MAX_BATCH + 1)) == [None] * (2 * MAX_BATCH + 1)
    assert batches(server) == [MAX_BATCH, MAX_BATCH, 1]
    with pytest.raises(ValueError, match="at most 100"):
        gateway.send_raw_many([b"\x01"] * (MAX_BATCH + 1))


def test_nothing_is_asked_for_nothing(gateway, server):
    assert (gateway.receipts([]), gateway.send_raw_many([]), gateway.try_many([], sender=RECORDER)) == ([], [], [])
    assert batches(server) == []


def test_a_receipt_that_is_refused_is_no_missing_receipt(gateway, server):
    server.node.methods["eth_getTransactionReceipt"] = refusing(unauthorized())
    with pytest.raises(ChainError, match="token"):
        gateway.receipts([b"\x01" * 32])


def test_a_trial_with_known_gas_is_one_call_and_its_refusal_is_decoded(gateway, server):
    trial = Trial("Recorder", RECORDER, b"\x01", gas=90_000)
    error = row("rpc", "eth_call failCustom").response["error"]
    server.node.methods["eth_call"] = refusing(Refusal(error["code"], error["message"], data=error["data"]))
    (refused,) = gateway.try_many([trial], sender=RECORDER)
    assert isinstance(refused, TransactionRevertedError)
    assert refused.error == "Refused"

    server.node.methods["eth_call"] = lambda request, block: "0x"
    server.node.methods["eth_estimateGas"] = lambda request: "0xc350"
    searched = Trial("Recorder", RECORDER, b"\x01")
    assert gateway.try_many([trial, searched], sender=RECORDER) == [90_000, 50_000]
    assert server.methods[-2:] == ["eth_call", "eth_estimateGas"]
