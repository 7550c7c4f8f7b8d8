"""A running anvil is asked what it refuses, so that its words in the table are those it really says."""

import json
import urllib.request
from typing import Any

import pytest
from eth_account import Account

from contracts import errors
from contracts.rpc.answers import error_from_answer

pytestmark = pytest.mark.services
SOMEBODY = "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"


def _ask(node: Any, method: str, *parameters: Any) -> dict[str, Any]:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}).encode()
    request = urllib.request.Request(node.url, body, {"Content-Type": "application/json"})  # noqa: S310  loopback
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  loopback
        found: dict[str, Any] = json.load(answer)
    return found


def _send(node: Any, account: Any, nonce: int, **changes: Any) -> dict[str, Any]:
    fields = {"type": 2, "chainId": node.chain_id, "nonce": nonce, "gas": 100_000, "value": 0, "to": SOMEBODY}
    fields |= {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0} | changes
    raw = account.sign_transaction(fields).raw_transaction
    return _ask(node, "eth_sendRawTransaction", "0x" + bytes(raw).hex())


@pytest.mark.parametrize(
    ("nonce", "changes", "kind"),
    [
        (0, {"gas": 90_000}, errors.NonceTooLowError),
        (5, {}, errors.KnownTransactionError),
        (5, {"gas": 90_000}, errors.ReplacementUnderpricedError),
        (1, {"maxPriorityFeePerGas": 1}, errors.TransactionRefusedError),
        (1, {"value": 1}, errors.InsufficientFundsError),
        (1, {"maxFeePerGas": 1, "maxPriorityFeePerGas": 1}, errors.InsufficientFundsError),
        (1, {"gas": 20_000}, errors.GasLimitError),
        (1, {"gas": 10**9}, errors.GasLimitError),
        (1, {"chainId": 1}, errors.WrongChainError),
        (1, {"to": "", "data": "0x" + "00" * 50_000, "gas": 10**7}, errors.CreationTooLargeError),
    ],
)
def test_a_refused_transaction_of_anvil_is_named(anvil, nonce, changes, kind):
    account = Account.create()
    assert "result" in _send(anvil, account, 0)
    assert "result" in _send(anvil, account, 5)
    assert type(error_from_answer("eth_sendRawTransaction", _send(anvil, account, nonce, **changes)["error"])) is kind


@pytest.mark.parametrize(
    ("method", "parameters", "kind"),
    [
        ("eth_nope", [], errors.ChainRequestError),
        ("eth_sendRawTransaction", ["0x1234"], errors.ChainRequestError),
        ("eth_call", [{"to": SOMEBODY}, "0xffffffff"], errors.BlockNotFoundError),
        ("eth_getLogs", [{"fromBlock": "0xfffffff", "toBlock": "0xffffffff"}], errors.BlockNotFoundError),
        ("eth_getLogs", [{"blockHash": "0x" + "22" * 32}], errors.BlockNotFoundError),
        ("eth_call", [{"data": "0xfe"}, "latest"], errors.ExecutionHaltedError),
        ("eth_call", [{"data": "0x5b600056", "gas": "0x30d40"}, "latest"], errors.ExecutionHaltedError),
        ("eth_call", [{"data": "0x60006000fd"}, "latest"], errors.TransactionRevertedError),
        ("eth_call", [{"to": SOMEBODY, "gas": "0x64"}, "latest"], errors.GasLimitError),
    ],
)
def test_a_refused_question_of_anvil_is_named(anvil, method, parameters, kind):
    assert type(error_from_answer(method, _ask(anvil, method, *parameters)["error"])) is kind
