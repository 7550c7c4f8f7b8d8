"""Besu's refusals, word for word as recorded, and what they mean to us."""

import json
from pathlib import Path

import pytest

from contracts import errors
from contracts.rpc.answers import error_from_answer

RECORDED = Path(__file__).resolve().parents[2] / "data" / "besu" / "refusals.jsonl"
BY_LABEL = {row["label"]: row["response"] for row in map(json.loads, RECORDED.read_text().splitlines())}

MEANING = {
    "eth_call failReason": errors.TransactionRevertedError,
    "eth_call failCustom": errors.TransactionRevertedError,
    "eth_call failPanic": errors.TransactionRevertedError,
    "eth_call failEmpty": errors.TransactionRevertedError,
    "eth_call unknown selector": errors.TransactionRevertedError,
    "eth_estimateGas failCustom": errors.TransactionRevertedError,
    "eth_call burn": errors.ExecutionHaltedError,
    "send: same bytes, already mined": errors.NonceTooLowError,
    "send: other bytes, nonce already mined": errors.NonceTooLowError,
    "send: same bytes, still in pool": errors.KnownTransactionError,
    "send: nonce 615 ahead of an account that sent none": errors.NonceTooDistantError,
    "send: layered pool, nonce 200 ahead": errors.NonceTooDistantError,
    "send: price 0 against it": errors.ReplacementUnderpricedError,
    "send: priority fee above maximum fee": errors.TransactionRefusedError,
    "send: gas below the intrinsic cost": errors.GasLimitError,
    "send: gas above the block limit": errors.GasLimitError,
    "send: wrong chain id": errors.WrongChainError,
    "send: one bit of the signature flipped": errors.ChainInternalError,
    "send: garbage": errors.ChainRequestError,
    "send: price 0 with a minimum of 1000, SEQUENCED pool": errors.GasPriceRefusedError,
    "send: from an account not on the list": errors.SenderNotAuthorizedError,
    "eth_sendTransaction": errors.ChainRequestError,
    "eth_call with a price and no balance": errors.InsufficientFundsError,
    "eth_call without block": errors.BlockNotFoundError,
    "future block: eth_estimateGas": errors.BlockNotFoundError,
    "logs: to a block above the head": errors.ChainRequestError,
    "logs: block hash unknown": errors.BlockNotFoundError,
    "logs with a limit of 10: range 11": errors.RangeTooLargeError,
    "block 'safe'": errors.BlockNotFoundError,
    "http: unknown method": errors.ChainRequestError,
    "http: interface not enabled": errors.ChainRequestError,
    "http: batch of 1025": errors.ChainRequestError,
    "http: parse error": errors.ChainRequestError,
    "no token": errors.ChainAccessRefusedError,
}
# One number, three meanings: words decide.
SAME_CODE = ("send: gas above the block limit", "logs with a limit of 10: range 11", "http: batch of 1025")


@pytest.mark.parametrize("label", sorted(MEANING))
def test_a_recorded_refusal_means_exactly_this_error(label):
    assert type(error_from_answer("eth_method", BY_LABEL[label]["error"])) is MEANING[label]


def test_every_recorded_refusal_is_listed():
    assert set(MEANING) == {label for label, answer in BY_LABEL.items() if "error" in answer}


def test_one_number_has_three_meanings():
    assert {BY_LABEL[label]["error"]["code"] for label in SAME_CODE} == {-32005}
    assert len({MEANING[label] for label in SAME_CODE}) == 3


# anvil's own words, from a running one.
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("nonce too low", errors.NonceTooLowError),
        ("transaction already imported", errors.KnownTransactionError),
        ("replacement transaction underpriced", errors.ReplacementUnderpricedError),
        ("Insufficient funds for gas * price + value", errors.InsufficientFundsError),
        ("intrinsic gas too low", errors.GasLimitError),
        ("invalid chain id for signer", errors.WrongChainError),
    ],
)
def test_anvil_answers_one_number_for_all(text, kind):
    assert type(error_from_answer("eth_sendRawTransaction", {"code": -32003, "message": text})) is kind


def test_only_what_may_pass_is_retryable():
    assert errors.ChainUnavailableError.retryable
    assert errors.NonceTooDistantError.retryable
    for kind in (errors.WrongChainError, errors.ChainRewoundError, errors.SenderNotAuthorizedError):
        assert not kind.retryable
    assert not errors.TransactionRevertedError.retryable


@pytest.mark.parametrize(
    "answer", [{}, {"code": 3}, {"code": 3, "message": "x", "data": "0xzz"}, {"code": 3, "data": 7}]
)
def test_an_answer_without_the_expected_parts_is_an_error_all_the_same(answer):
    error = error_from_answer("eth_call", answer)
    assert isinstance(error, errors.ChainError)
    if answer.get("code") == 3:
        assert isinstance(error, errors.TransactionRevertedError)
        assert error.data == b""


def test_a_long_text_of_a_node_is_cut():
    error = error_from_answer("eth_call", {"code": -1, "message": "x" * 10_000})
    assert len(error.message) < 500
