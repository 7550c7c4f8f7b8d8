"""What every chain promises to dispatcher and projector: the one in memory, anvil, and a network that was given."""

import time

import pytest
from eth_account import Account

from contracts.errors import (
    BlockNotFoundError,
    ContractArgumentsError,
    GasLimitError,
    KnownTransactionError,
    NonceTooLowError,
    TransactionRevertedError,
    UnknownContractError,
    WrongChainError,
)
from contracts.events import ContractReference, Receipt
from contracts.interface import Chain
from contracts.relay import Relay, SignedTransaction
from tests.chain.counter import LIMIT, fake_chain, text32
from tests.chain.given import PATIENCE_SECONDS

GAS = 1_000_000
NOWHERE = "0x00000000000000000000000000000000000000AA"


FAR = 1_000_000


@pytest.fixture
def creation(chain: Chain, relay: Relay) -> Receipt:
    data = chain.deploy_data("Counter", LIMIT)
    nonce = chain.transaction_count(relay.address)
    return mine(chain, relay.sign(to=None, data=data, nonce=nonce, gas=GAS, chain_id=chain.chain_id))


@pytest.fixture
def counter(creation: Receipt) -> ContractReference:
    assert creation.contract_address is not None
    return ContractReference("Counter", creation.contract_address)


def mine(chain: Chain, signed: SignedTransaction, *, seconds: float = PATIENCE_SECONDS) -> Receipt:
    """Send and wait for the receipt: a real node mines a moment after it has answered."""
    assert chain.send_raw(signed.raw) == signed.hash
    return mined(chain, signed, seconds=seconds)


def mined(chain: Chain, signed: SignedTransaction, *, seconds: float = PATIENCE_SECONDS) -> Receipt:
    deadline = time.monotonic() + seconds
    while (receipt := chain.receipt(signed.hash)) is None:
        assert time.monotonic() < deadline, "it was not mined in time"
        time.sleep(0.01)
    return receipt


def sign(chain: Chain, relay: Relay, counter: ContractReference, amount: int, **changes: object) -> SignedTransaction:
    options = {
        "to": counter.address,
        "data": chain.encode(counter, "add", amount, text32("test"), "a note"),
        "nonce": chain.transaction_count(relay.address),
        "gas": GAS,
        "chain_id": chain.chain_id,
    }
    return relay.sign(**(options | changes))  # type: ignore[arg-type]  # options by name


def test_a_transaction_is_known_by_the_hash_of_its_bytes(chain, relay, counter):
    signed = sign(chain, relay, counter, 3)

    assert chain.receipt(signed.hash) is None
    assert chain.transaction(signed.hash) is None
    receipt = mine(chain, signed)
    assert (receipt.succeeded, receipt.transaction_hash, receipt.contract_address) == (True, signed.hash, None)
    assert receipt.block_hash == chain.block(receipt.block_number).hash
    assert chain.transaction(signed.hash) is not None
    assert chain.call(counter, "total") == 3


def test_the_head_is_the_newest_block(chain, relay, counter):
    before = chain.head()
    receipt = mine(chain, sign(chain, relay, counter, 1))
    after = chain.head()

    assert before.number < receipt.block_number <= after.number
    assert after.time >= before.time
    assert chain.block(after.number) == after
    assert chain.block(after.number + FAR) is None


def test_structs_come_back_as_dicts_and_several_values_as_a_tuple(chain, relay, counter):
    path = [{"by": 1, "reason": b"\x01" * 32}, {"by": 2**64 - 1, "reason": b"\x02" * 32}]
    data = chain.encode(counter, "walk", path)
    mine(chain, sign(chain, relay, counter, 0, data=data))

    assert chain.call(counter, "steps") == path
    assert chain.call(counter, "lastStep") == (path[1], 2)


def test_a_state_of_the_past_is_asked_by_its_block(chain, relay, creation, counter):
    block = creation.block_number
    mine(chain, sign(chain, relay, counter, 5))

    assert chain.call(counter, "total", block=block) == 0
    assert chain.call(counter, "total") == 5
    with pytest.raises(BlockNotFoundError):
        chain.call(counter, "total", block=chain.head().number + FAR)


def test_events_are_decoded_in_order_with_their_place(chain, relay, creation, counter):
    first = creation.block_number
    step = {"by": 7, "reason": b"\x07" * 32}
    walked = sign(chain, relay, counter, 0, data=chain.encode(counter, "walk", [step]))
    mine(chain, walked)
    added = sign(chain, relay, counter, 4)
    mine(chain, added)

    events = chain.logs([counter], first, chain.head().number)

    assert [(e.name, e.transaction_log_index) for e in events] == [
        ("Counted", 0),
        ("Stepped", 0),
        ("Counted", 1),
        ("Counted", 0),
    ]
    created, stepped, _, counted = events
    assert created.arguments["reason"] == text32("created")
    assert stepped.arguments == {"steps": [step]}
    assert counted.arguments == {"reason": text32("test"), "caller": relay.address, "total": 4, "note": "a note"}
    assert (counted.contract, counted.address, counted.transaction_hash) == ("Counter", counter.address, added.hash)
    block = chain.block(counted.block_number)
    assert (counted.block_hash, counted.block_time) == (block.hash, block.time)


def test_events_above_the_head_are_not_there_yet_and_no_error(chain, creation, counter):
    head = creation.block_number
    assert chain.logs([counter], head + FAR, head + FAR + 10) == []
    assert [e.name for e in chain.logs([counter], head, head + FAR)] == ["Counted"]
    assert chain.logs([], 0, head) == []


def test_a_refusal_speaks_the_contracts_own_words(chain, relay, counter):
    with pytest.raises(TransactionRevertedError) as refusal:
        chain.simulate(counter, "add", LIMIT + 1, text32("test"), "", sender=relay.address)
    assert (refusal.value.error, refusal.value.arguments) == ("CounterTooLarge", {"limit": LIMIT, "asked": LIMIT + 1})
    assert refusal.value.sentence() == "CounterTooLarge(limit=100, asked=101)"

    with pytest.raises(TransactionRevertedError) as plain:
        chain.simulate(counter, "addAfterOthers", 9, sender=relay.address)
    assert (plain.value.error, plain.value.arguments) == ("Error", {"message": "not yet"})

    with pytest.raises(TransactionRevertedError) as panic:
        chain.call(counter, "divide", 0)
    assert (panic.value.error, panic.value.arguments) == ("Panic", {"code": 0x12})


def test_a_trial_costs_gas_and_changes_nothing(chain, relay, counter):
    before = chain.transaction_count(relay.address)
    assert 21_000 < chain.simulate(counter, "add", 1, text32("test"), "", sender=relay.address) < GAS
    assert chain.simulate_deployment("Counter", LIMIT, sender=relay.address) > 21_000
    assert chain.call(counter, "total") == 0
    assert chain.transaction_count(relay.address) == before


def test_a_mined_refusal_has_a_receipt_and_can_be_explained(chain, relay, counter):
    signed = sign(chain, relay, counter, LIMIT + 1)
    receipt = mine(chain, signed)

    assert not receipt.succeeded
    data = chain.encode(counter, "add", LIMIT + 1, text32("test"), "a note")
    refusal = chain.explain("Counter", sender=relay.address, to=counter.address, data=data, block=receipt.block_number)
    assert refusal is not None
    assert refusal.error == "CounterTooLarge"
    assert chain.call(counter, "total") == 0


def test_a_used_nonce_is_refused_by_name(chain, relay, counter):
    used = chain.transaction_count(relay.address)
    signed = sign(chain, relay, counter, 1, nonce=used)
    mine(chain, signed)

    with pytest.raises((NonceTooLowError, KnownTransactionError)):
        chain.send_raw(signed.raw)
    with pytest.raises(NonceTooLowError):
        chain.send_raw(sign(chain, relay, counter, 2, nonce=used).raw)
    assert chain.call(counter, "total") == 1


def test_a_gap_waits_and_the_same_bytes_are_known(chain, relay, counter):
    first = chain.transaction_count(relay.address)
    later = sign(chain, relay, counter, 2, nonce=first + 1)
    earlier = sign(chain, relay, counter, 1, nonce=first)

    chain.send_raw(later.raw)
    assert chain.receipt(later.hash) is None
    assert chain.transaction(later.hash) is not None
    assert chain.transaction_count(relay.address) == first
    with pytest.raises(KnownTransactionError):
        chain.send_raw(later.raw)

    mine(chain, earlier)
    mined(chain, later)
    assert chain.transaction(later.hash) is not None
    assert chain.transaction_count(relay.address) == first + 2
    assert chain.call(counter, "total") == 3


def test_a_transaction_for_another_chain_is_refused(chain, relay, counter):
    with pytest.raises(WrongChainError):
        chain.send_raw(sign(chain, relay, counter, 1, chain_id=chain.chain_id + 1).raw)
    assert chain.call(counter, "total") == 0


def test_too_little_gas_is_refused(chain, relay, counter):
    with pytest.raises(GasLimitError):
        chain.send_raw(sign(chain, relay, counter, 1, gas=20_000).raw)


def test_code_is_where_a_contract_is_and_nowhere_else(chain, counter):
    assert chain.code(counter.address) != b""
    assert chain.code(NOWHERE) == b""


def test_a_call_to_no_contract_says_so(chain):
    with pytest.raises(UnknownContractError, match="There is no"):
        chain.call(ContractReference("Counter", NOWHERE), "total")


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("add", (1, b"short", "")),
        ("add", (-1, b"\0" * 32, "")),
        ("add", (1, b"\0" * 32)),
        ("walk", ([{"by": 1}],)),
        ("walk", ([{"by": 2**64, "reason": b"\0" * 32}],)),
        ("walk", ("steps",)),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_anything_is_sent(chain, counter, function, arguments):
    with pytest.raises(ContractArgumentsError):
        chain.encode(counter, function, *arguments)


def test_an_unknown_function_or_contract_is_named(chain, counter):
    with pytest.raises(UnknownContractError, match="subtract"):
        chain.encode(counter, "subtract", 1)
    with pytest.raises(UnknownContractError, match="Abacus"):
        chain.deploy_data("Abacus")


def test_a_creation_depends_on_sender_and_nonce_alone():
    """So that a chain which lost blocks gives the same contracts the same addresses."""
    key = Account.create().key
    addresses = set()
    for _ in range(2):
        chain, relay = fake_chain(), Relay(Account.from_key(key))
        data = chain.deploy_data("Counter", LIMIT)
        signed = relay.sign(to=None, data=data, nonce=0, gas=GAS, chain_id=chain.chain_id)
        receipt = mine(chain, signed)
        addresses.add(receipt.contract_address)
    assert len(addresses) == 1
