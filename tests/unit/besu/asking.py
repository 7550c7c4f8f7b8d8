"""Transactions and questions for a node, without a socket."""

from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from tests.besu.node import Node
from tests.besu.recordings import CHAIN_ID
from tests.besu.refusals import Refusal

SOMEBODY = "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"


def signed(account: LocalAccount, nonce: int, **more: Any) -> str:
    """A free transaction of type 2, as 0x-hex."""
    fields: dict[str, Any] = {
        "type": 2,
        "chainId": CHAIN_ID,
        "nonce": nonce,
        "gas": 100_000,
        "maxFeePerGas": 0,
        "maxPriorityFeePerGas": 0,
        "value": 0,
        "to": SOMEBODY,
    }
    return "0x" + bytes(account.sign_transaction(fields | more).raw_transaction).hex()


def new_account() -> LocalAccount:
    account: LocalAccount = Account.create()
    return account


def refusal_of(node: Node, method: str, *parameters: object) -> tuple[int, str]:
    with pytest.raises(Refusal) as refused:
        node.ask(method, list(parameters))
    return refused.value.code, refused.value.message
