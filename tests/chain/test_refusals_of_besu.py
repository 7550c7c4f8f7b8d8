"""What Besu refuses, provoked on a given network of any version, or on the model that is held to recordings of 26.4.

Nothing of this is ever mined: each transaction is refused at the pool's door.
"""

from collections.abc import Callable
from typing import Any

import pytest

from contracts.errors import (
    BlockNotFoundError,
    ChainAccessRefusedError,
    ChainError,
    ChainInternalError,
    ChainRequestError,
    CreationTooLargeError,
    GasLimitError,
    InsufficientFundsError,
    TransactionRefusedError,
    UnknownRefusalError,
    WindowAboveHeadError,
    WrongChainError,
)
from contracts.gateway import Gateway
from contracts.relay import Relay

pytestmark = pytest.mark.services
HASH = "0x" + "12" * 32
FAR = 1_000_000


def raw(besu: Gateway, relay: Relay, **changes: Any) -> str:
    options: dict[str, Any] = {"to": relay.address, "data": b"", "gas": 21_000, "chain_id": besu.chain_id}
    nonce = besu.transaction_count(relay.address)
    return "0x" + relay.sign(**({"nonce": nonce} | options | changes)).raw.hex()


def sending(**changes: Any) -> Callable[[Gateway, Relay], Any]:
    return lambda besu, relay: besu.ask("eth_sendRawTransaction", [raw(besu, relay, **changes)])


def asking(method: str, *parameters: Any) -> Callable[[Gateway, Relay], Any]:
    return lambda besu, relay: besu.ask(method, list(parameters))


def above_block(besu: Gateway, relay: Relay) -> Any:
    limit = int(besu.ask("eth_getBlockByNumber", ["latest", False])["gasLimit"], 16)
    return sending(gas=limit + 1)(besu, relay)


def for_another_chain(besu: Gateway, relay: Relay) -> Any:
    return sending(chain_id=besu.chain_id + 1)(besu, relay)


def above_head(besu: Gateway, relay: Relay) -> Any:
    head = besu.head().number
    return besu.ask("eth_getLogs", [{"fromBlock": hex(head + FAR), "toBlock": hex(head + FAR)}])


def paid(besu: Gateway, relay: Relay) -> Any:
    call = {"from": relay.address, "to": relay.address, "gasPrice": hex(10**9), "gas": hex(21_000)}
    return besu.ask("eth_call", [call, "latest"])


# Where nodes ask for a token, they may look at its permissions before they look for the method.
NO_METHOD = (ChainRequestError, ChainAccessRefusedError)
REFUSALS: dict[str, tuple[Callable[[Gateway, Relay], Any], type[ChainError] | tuple[type[ChainError], ...]]] = {
    "garbage for a transaction": (asking("eth_sendRawTransaction", "0x1234"), ChainRequestError),
    "less gas than a transaction costs": (sending(gas=20_000), GasLimitError),
    "more gas than a block has": (above_block, GasLimitError),
    "a transaction for another chain": (for_another_chain, WrongChainError),
    "events above the head": (above_head, WindowAboveHeadError),
    "events of an unknown block": (asking("eth_getLogs", {"blockHash": HASH}), BlockNotFoundError),
    "a price from an account without balance": (paid, InsufficientFundsError),
    "a method that does not exist": (asking("eth_doesNotExist"), NO_METHOD),
    "a transaction of a node's account": (asking("eth_sendTransaction", {}), NO_METHOD),
}


@pytest.mark.parametrize("what", sorted(REFUSALS))
def test_a_refusal_means_what_it_meant_where_it_was_recorded(besu, relay, what):
    provoke, kind = REFUSALS[what]
    with pytest.raises(kind) as refused:
        provoke(besu, relay)
    assert not isinstance(refused.value, UnknownRefusalError)


def test_a_creation_that_is_too_long_is_refused(besu, relay):
    """In 26.4 it was an internal error that says nothing."""
    with pytest.raises((ChainInternalError, CreationTooLargeError, TransactionRefusedError)):
        sending(to=None, data=b"\0" * 49_153, gas=10_000_000)(besu, relay)
