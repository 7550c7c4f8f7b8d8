"""What a node's pool promises to lanes: batches in order, 600 waiting of one account, two accounts at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.errors import (
    ChainError,
    InsufficientFundsError,
    KnownTransactionError,
    NonceTooDistantError,
    NonceTooLowError,
    WrongChainError,
)
from contracts.events import Receipt
from contracts.gateway import Gateway
from contracts.interface import MAX_BATCH
from contracts.relay import Relay, SignedTransaction
from contracts.sending.lanes import MAX_IN_FLIGHT
from tests.chain.test_chain_promises import mined

pytestmark = pytest.mark.services
GAS = 21_000


def to_itself(chain: Gateway, relay: Relay, nonce: int, **changes: object) -> SignedTransaction:
    """The cheapest transaction there is; it changes nothing but the account's count."""
    options = {"to": relay.address, "data": b"", "nonce": nonce, "gas": GAS, "chain_id": chain.chain_id}
    return relay.sign(**(options | changes))  # type: ignore[arg-type]  # options by name


def send(chain: Gateway, signed: Sequence[SignedTransaction]) -> list[bytes | ChainError]:
    raws = [each.raw for each in signed]
    batches = [raws[first : first + MAX_BATCH] for first in range(0, len(raws), MAX_BATCH)]
    return [answer for batch in batches for answer in chain.send_raw_many(batch)]


def all_mined(chain: Gateway, signed: Sequence[SignedTransaction]) -> list[Receipt]:
    """The receipts, once the last of a row of nonces has one: those before it are mined then."""
    mined(chain, signed[-1])
    found = [receipt for receipt in chain.receipts([each.hash for each in signed]) if receipt is not None]
    assert len(found) == len(signed)
    return found


def test_a_batch_is_taken_whole_and_mined_in_the_order_of_its_nonces(real_chain, relay):
    first = real_chain.transaction_count(relay.address)
    signed = [to_itself(real_chain, relay, first + place) for place in range(MAX_BATCH)]

    assert send(real_chain, signed) == [each.hash for each in signed]

    receipts = all_mined(real_chain, signed)
    blocks = [receipt.block_number for receipt in receipts]
    assert blocks == sorted(blocks)
    assert all(receipt.succeeded for receipt in receipts)
    assert real_chain.transaction_count(relay.address) == first + MAX_BATCH


def test_as_many_as_a_lane_has_under_way_wait_at_once_and_all_are_mined(real_chain, relay):
    """They wait for certain: the first of their nonces comes last."""
    first = real_chain.transaction_count(relay.address)
    signed = [to_itself(real_chain, relay, first + place) for place in range(MAX_IN_FLIGHT)]

    assert send(real_chain, signed[1:]) == [each.hash for each in signed[1:]]
    assert real_chain.receipts([each.hash for each in signed[1:]]) == [None] * (MAX_IN_FLIGHT - 1)
    assert real_chain.transaction_count(relay.address) == first

    assert send(real_chain, signed[:1]) == [signed[0].hash]
    assert all(receipt.succeeded for receipt in all_mined(real_chain, signed))


def test_a_batch_tells_which_of_its_items_is_refused_and_goes_on_behind_it(real_chain, relay):
    first = real_chain.transaction_count(relay.address)
    good = [to_itself(real_chain, relay, first), to_itself(real_chain, relay, first + 1)]
    stray = to_itself(real_chain, relay, first + 1, chain_id=real_chain.chain_id + 1)

    found = send(real_chain, [good[0], stray, good[1]])

    assert [found[0], found[2]] == [each.hash for each in good]
    assert isinstance(found[1], WrongChainError)
    all_mined(real_chain, good)


def test_bytes_are_known_while_they_wait_and_their_nonce_used_up_once_they_are_mined(real_chain, relay):
    first = real_chain.transaction_count(relay.address)
    waiting, before = to_itself(real_chain, relay, first + 1), to_itself(real_chain, relay, first)
    send(real_chain, [waiting])

    assert [type(answer) for answer in send(real_chain, [waiting])] == [KnownTransactionError]

    send(real_chain, [before])
    all_mined(real_chain, [before, waiting])
    answers = send(real_chain, [before, waiting])
    assert all(isinstance(answer, NonceTooLowError | KnownTransactionError) for answer in answers)


def test_two_accounts_send_at_once_and_neither_waits_for_the_other(real_chain, relays):
    rows = []
    for relay in relays[:2]:
        first = real_chain.transaction_count(relay.address)
        rows.append([to_itself(real_chain, relay, first + place) for place in range(50)])

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda signed: send(real_chain, signed), rows))

    assert found == [[each.hash for each in signed] for signed in rows]
    for signed in rows:
        all_mined(real_chain, signed)


def test_a_nonce_that_no_pool_keeps_is_refused_by_name(besu, relay):
    far = besu.transaction_count(relay.address) + 100_000
    with pytest.raises(NonceTooDistantError):
        besu.send_raw(to_itself(besu, relay, far).raw)


def test_gas_is_free_and_a_trial_with_a_price_says_that_nobody_can_pay_it(real_chain, relay):
    block = real_chain.ask("eth_getBlockByNumber", ["latest", False])
    assert int(block["baseFeePerGas"], 16) == 0
    call = {"from": relay.address, "to": relay.address, "gasPrice": hex(10**9), "gas": hex(GAS)}
    with pytest.raises(InsufficientFundsError):
        real_chain.ask("eth_call", [call, "latest"])
