"""Requests in one batch: answered in any order, each by itself, or refused as a whole."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.artifacts import Artifacts
from contracts.errors import (
    ChainError,
    ChainInternalError,
    ChainRequestError,
    ChainUnavailableError,
    KnownTransactionError,
    NonceTooDistantError,
    NonceTooLowError,
    TransactionRevertedError,
)
from contracts.gateway import Gateway
from contracts.interface import MAX_BATCH, Trial
from tests.unit.contracts.besu_replay import CHAIN_ID, DATA, Recording, serve

ARTIFACTS = Artifacts([DATA / "contracts"])
RECORDER = "0x221EDC9c97365E06dA77B157cEfa535E04efA52D"


@pytest.fixture
def recording() -> Recording:
    return Recording()


@pytest.fixture
def gateway(recording: Recording) -> Iterator[Gateway]:
    with serve(recording) as url:
        yield Gateway([url], chain_id=CHAIN_ID, artifacts=ARTIFACTS, timeout_seconds=5)


def recorded(label: str) -> dict[str, Any]:
    rows = [json.loads(line) for line in (DATA / "refusals.jsonl").read_text().splitlines()]
    answer: dict[str, Any] = next(row["response"] for row in rows if row["label"] == label)
    return answer


def test_each_transaction_of_a_batch_has_its_own_answer(gateway, recording):
    """The node refuses the middle and goes on behind it."""
    recording.raw_answers = [
        {"result": "0x" + "11" * 32},
        recorded("send: same bytes, still in pool"),
        recorded("send: nonce 615 ahead of an account that sent none"),
        {"result": "0x" + "22" * 32},
        recorded("send: same bytes, already mined"),
    ]
    answers = gateway.send_raw_many([bytes([number]) for number in range(5)])

    assert [answers[0], answers[3]] == [b"\x11" * 32, b"\x22" * 32]
    assert [type(answers[index]) for index in (1, 2, 4)] == [
        KnownTransactionError,
        NonceTooDistantError,
        NonceTooLowError,
    ]
    assert recording.batches == [5]


def test_answers_in_another_order_are_matched_by_their_ids(gateway, recording):
    hashes = [bytes.fromhex(row["transactionHash"][2:]) for row in recording.receipts]
    recording.order = lambda answers: list(reversed(answers))

    found = gateway.receipts([*hashes, b"\x01" * 32])
    assert [receipt.transaction_hash for receipt in found[:-1]] == hashes
    assert found[-1] is None


@pytest.mark.parametrize("mangle", [lambda answers: answers[:-1], lambda answers: [answers[0]] * len(answers)])
def test_a_batch_that_is_not_the_one_asked_for_is_no_answer(gateway, recording, mangle):
    recording.order = mangle
    with pytest.raises(ChainInternalError, match="another batch"):
        gateway.receipts([b"\x01" * 32, b"\x02" * 32])


def test_a_batch_refused_as_a_whole_is_one_error(gateway, recording):
    recording.batch_refusal = recorded("http: batch of 1025")["error"]
    with pytest.raises(ChainRequestError, match="batch"):
        gateway.receipts([b"\x01" * 32])


def test_a_node_that_is_gone_fails_the_batch_and_the_next_one_is_asked(recording):
    with serve(recording) as url:
        gateway = Gateway(["http://127.0.0.1:9", url], chain_id=CHAIN_ID, artifacts=ARTIFACTS)
        with pytest.raises(ChainUnavailableError):
            gateway.receipts([b"\x01" * 32])
        assert gateway.receipts([b"\x01" * 32]) == [None]


def test_no_batch_is_larger_than_the_limit(gateway, recording):
    assert gateway.receipts([bytes(32)] * (2 * MAX_BATCH + 1)) == [None] * (2 * MAX_BATCH + 1)
    assert recording.batches == [MAX_BATCH, MAX_BATCH, 1]
    with pytest.raises(ValueError, match="at most 100"):
        gateway.send_raw_many([b"\x01"] * (MAX_BATCH + 1))


def test_nothing_is_asked_for_nothing(gateway, recording):
    assert (gateway.receipts([]), gateway.send_raw_many([]), gateway.try_many([], sender=RECORDER)) == ([], [], [])
    assert recording.batches == []


def test_a_receipt_that_is_refused_is_no_missing_receipt(gateway, recording):
    recording.refusal = recorded("no token")["error"]
    with pytest.raises(ChainError, match="token"):
        gateway.receipts([b"\x01" * 32])


def test_a_trial_with_known_gas_is_one_call_and_its_refusal_is_decoded(gateway, recording, monkeypatch):
    trial = Trial("Recorder", RECORDER, b"\x01", gas=90_000)
    (refused,) = gateway.try_many([trial], sender=RECORDER)
    assert isinstance(refused, TransactionRevertedError)
    assert refused.error == "Refused"

    monkeypatch.setattr(recording, "eth_call", lambda request, block: "0x", raising=False)
    monkeypatch.setattr(recording, "eth_estimateGas", lambda request: "0xc350", raising=False)
    searched = Trial("Recorder", RECORDER, b"\x01")
    assert gateway.try_many([trial, searched], sender=RECORDER) == [90_000, 50_000]
    assert recording.asked[-2:] == ["eth_call", "eth_estimateGas"]
