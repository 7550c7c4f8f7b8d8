"""Several accounts send: consortia are spread, a stuck account is noticed, and no call is ever made twice."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from eth_account import Account

from contracts import health
from contracts.dispatcher import Dispatcher
from contracts.errors import ChainUnavailableError, GasLimitError, SenderNotAuthorizedError
from contracts.models import OutboxTransaction, RelayAccount
from contracts.relay import Relay
from contracts.sending import broadcasts, lanes
from contracts.sending.settlements import LOST_AFTER_BLOCKS
from contracts.testing import FakeChain
from tests.integration.contracts.conftest import add, deploy, forget_sending, states, total

pytestmark = pytest.mark.usefixtures("system", "handlers")


@pytest.fixture
def other_relay() -> Relay:
    return Relay(Account.create())


@pytest.fixture
def first(world):
    return world.consortium.pk


@pytest.fixture
def second(world):
    return world.other_consortium.pk


@pytest.fixture
def dispatcher(chain, relay, other_relay, first, second) -> Dispatcher:
    made = Dispatcher(chain, relay, other_relay)
    for consortium in (first, second):
        deploy(made, consortium)
    chain.automine = False
    return made


def mine(dispatcher: Dispatcher, blocks: int = 1) -> None:
    """Blocks with a pass after each, and the pause before sending again over."""
    assert isinstance(dispatcher.chain, FakeChain)
    for _ in range(blocks):
        dispatcher.chain.mine()
        forget_sending()
        dispatcher.dispatch_once()


def senders(prefix: str) -> set[str]:
    rows = OutboxTransaction.objects.filter(idempotency_key__startswith=prefix)
    return set(rows.values_list("sender", flat=True))


def account(address: str) -> RelayAccount:
    return RelayAccount.objects.get(address=address)


def stuck_on(dispatcher: Dispatcher, consortium, key: str, amount: int = 1) -> OutboxTransaction:
    """A call that is under way; where the test breaks its lane."""
    row = add(consortium, key, amount)
    dispatcher.dispatch_once()
    row.refresh_from_db()
    assert row.state == "submitted"
    return row


def block_with_a_price(dispatcher: Dispatcher, relay: Relay, nonce: int | None) -> None:
    """Bytes of the relay's key that offer a price: Besu takes them, never mines them, and replaces them by nothing."""
    chain = dispatcher.chain
    offer: dict[str, Any] = {
        "type": 2,
        "chainId": chain.chain_id,
        "nonce": nonce,
        "gas": 30_000,
        "maxFeePerGas": 10,
        "maxPriorityFeePerGas": 10,
        "value": 0,
        "data": b"",
        "to": relay.address,
    }
    foreign = relay._account.sign_transaction(offer)
    chain.send_raw(bytes(foreign.raw_transaction))


def test_consortia_are_spread_and_each_keeps_its_order_on_one_lane(dispatcher, first, second):
    for number in range(6):
        add((first, second)[number % 2], f"{('first', 'second')[number % 2]}:{number}")

    dispatcher.dispatch_once()

    assert {len(senders("first")), len(senders("second"))} == {1}
    assert senders("first") | senders("second") == {relay.address for relay in dispatcher.relays}
    for prefix in ("first", "second"):
        rows = OutboxTransaction.objects.filter(idempotency_key__startswith=prefix).order_by("position")
        nonces = [row.nonce or 0 for row in rows]
        assert nonces == list(range(nonces[0], nonces[0] + 3))


def test_a_consortium_stays_on_its_lane_while_it_has_calls_under_way(dispatcher, first):
    row = stuck_on(dispatcher, first, "test:1")
    for number in range(5):
        add(first, f"test:more{number}")
        dispatcher.dispatch_once()
    assert senders("test") == {row.sender}


def test_a_full_lane_holds_up_no_consortium_of_another(dispatcher, first, second, monkeypatch):
    monkeypatch.setattr("contracts.sending.claims.MAX_IN_FLIGHT", 2)
    for number in range(5):
        add(first, f"first:{number}")
    dispatcher.dispatch_once()
    add(second, "second:1")
    dispatcher.dispatch_once()

    found = states()
    assert [found[f"first:{number}"] for number in range(5)] == ["submitted"] * 2 + ["recorded"] * 3
    assert found["second:1"] == "submitted"
    mine(dispatcher, 4)
    assert set(states().values()) == {"confirmed"}


def test_a_call_that_one_account_alone_may_make_waits_for_its_lane(dispatcher, first, other_relay):
    for number in range(4):
        row = add(first, f"test:{number}", only_sender=other_relay.address)
        dispatcher.dispatch_once()
        mine(dispatcher, 2)
        row.refresh_from_db()
        assert (row.state, row.sender) == ("confirmed", other_relay.address)


def test_a_refused_account_is_stuck_and_the_others_go_on(dispatcher, first, second):
    row = stuck_on(dispatcher, first, "test:1", 3)
    dispatcher.chain.unauthorized.add(row.sender)
    dispatcher.chain.forget_pool()
    forget_sending()
    add(first, "test:2", 4)
    add(second, "test:3", 5)

    dispatcher.dispatch_once()

    assert account(row.sender).stuck_code == "not_authorized"
    assert account(row.sender).is_stuck
    mine(dispatcher, 40)
    # The signed call keeps its nonce, however long it takes: whoever has its bytes may have them mined.
    assert states() == {"test:1": "submitted", "test:2": "confirmed", "test:3": "confirmed"}
    assert (total(dispatcher, first), total(dispatcher, second)) == (4, 5)

    dispatcher.chain.unauthorized.clear()
    mine(dispatcher, 2)
    assert states()["test:1"] == "confirmed"
    assert total(dispatcher, first) == 7
    assert not account(row.sender).is_stuck


def test_without_an_account_that_may_send_the_dispatcher_ends(dispatcher, first, second):
    add(first, "test:1")
    add(second, "test:2")
    dispatcher.chain.unauthorized.update(relay.address for relay in dispatcher.relays)

    with pytest.raises(SenderNotAuthorizedError):
        dispatcher.dispatch_once()
    assert set(states().values()) == {"submitted"}
    assert RelayAccount.objects.filter(stuck_code="not_authorized").count() == 2

    dispatcher.chain.unauthorized.clear()
    mine(dispatcher, 2)
    assert set(states().values()) == {"confirmed"}


def test_a_nonce_held_by_foreign_bytes_with_a_price_blocks_its_lane_alone(dispatcher, first, second):
    row = stuck_on(dispatcher, first, "test:1", 3)
    chain = dispatcher.chain
    chain.forget_pool()
    relay = next(relay for relay in dispatcher.relays if relay.address == row.sender)
    block_with_a_price(dispatcher, relay, row.nonce)
    forget_sending()
    dispatcher.dispatch_once()

    found = account(row.sender)
    assert (found.stuck_code, found.stuck_text) == (
        "nonce_held",
        f"Nonce {row.nonce} is held by a transaction that is not ours.",
    )
    add(first, "test:2", 4)
    mine(dispatcher, 40)
    assert states() == {"test:1": "submitted", "test:2": "confirmed"}

    # The nodes were restarted without it, as the guide says.
    chain.forget_pool()
    mine(dispatcher, 3)
    row.refresh_from_db()
    assert row.state == "confirmed"
    assert total(dispatcher, first) == 7
    assert not account(row.sender).is_stuck


def test_a_call_that_is_never_mined_goes_to_another_lane_once_its_nonce_is_used_up(dispatcher, first):
    row = stuck_on(dispatcher, first, "test:1", 3)
    lane, stored = row.sender, row.transaction_hash
    dispatcher.chain.most_gas = 25_000

    for _ in range(lanes.STUCK_AFTER_BLOCKS):
        mine(dispatcher)
        row.refresh_from_db()
        assert row.transaction_hash == stored
    assert account(lane).stuck_code == "not_mined"
    assert "30 blocks" in account(lane).stuck_text

    # The filler is mined in the next block; the call is not signed anew before it is sure.
    for _ in range(LOST_AFTER_BLOCKS):
        mine(dispatcher)
        row.refresh_from_db()
        assert (row.state, row.transaction_hash) == ("submitted", stored)
    dispatcher.chain.most_gas = None
    mine(dispatcher, 3)

    row.refresh_from_db()
    assert (row.state, row.transaction_hash == stored) == ("confirmed", False)
    assert total(dispatcher, first) == 3
    assert not account(lane).is_stuck


def test_a_call_that_is_mined_after_all_is_not_made_again(dispatcher, first):
    """A filler was offered for its nonce, and another node still had the bytes."""
    row = stuck_on(dispatcher, first, "test:1", 3)
    stored = bytes(row.raw or b"")
    dispatcher.chain.most_gas = 1
    mine(dispatcher, lanes.STUCK_AFTER_BLOCKS + 1)
    assert account(row.sender).stuck_code == "not_mined"
    assert [each.data for each in dispatcher.chain.pool] == [b""]

    dispatcher.chain.send_raw(stored)
    dispatcher.chain.most_gas = None
    mine(dispatcher, 10)

    row.refresh_from_db()
    assert (row.state, bytes(row.raw or b"")) == ("confirmed", stored)
    assert total(dispatcher, first) == 3
    assert not account(row.sender).is_stuck


def test_a_call_that_no_lane_has_mined_fails_and_holds_up_nobody_for_ever(dispatcher, first, second, monkeypatch):
    monkeypatch.setattr(lanes, "STUCK_AFTER_BLOCKS", 3)
    row = stuck_on(dispatcher, first, "test:1", 3)
    dispatcher.chain.most_gas = 25_000
    add(second, "test:2")

    mine(dispatcher, 30)
    row.refresh_from_db()
    assert (row.state, row.error_code, row.nonce, row.transaction_hash) == ("failed", "never_mined", None, "")

    dispatcher.chain.most_gas = None
    mine(dispatcher, 10)
    assert OutboxTransaction.objects.get(idempotency_key="test:2").state in ("confirmed", "failed")
    assert total(dispatcher, first) == 0
    assert not RelayAccount.objects.exclude(stuck_code="").exists()


def test_bytes_that_a_node_has_taken_do_not_fail_when_another_refuses_them(dispatcher, first):
    row = stuck_on(dispatcher, first, "test:1", 3)
    forget_sending()
    dispatcher.chain.fail("send_raw", GasLimitError("above this node's block limit"))
    dispatcher.dispatch_once()
    row.refresh_from_db()
    assert row.state == "submitted"

    mine(dispatcher, 2)
    row.refresh_from_db()
    assert (row.state, total(dispatcher, first)) == ("confirmed", 3)


def test_a_missing_nonce_is_filled_when_the_lane_stands_still(dispatcher, first):
    """The journal came from an older backup than the chain: a nonce that nobody sends any more."""
    address = stuck_on(dispatcher, first, "test:0").sender
    mine(dispatcher, 2)
    for relay in RelayAccount.objects.all():
        relay.next_nonce += 1
        relay.save()
    row = stuck_on(dispatcher, first, "test:1", 3)

    mine(dispatcher, lanes.STUCK_AFTER_BLOCKS)
    assert "is missing" in account(row.sender).stuck_text
    mine(dispatcher, 2)

    row.refresh_from_db()
    assert row.state == "confirmed"
    assert not account(row.sender).is_stuck
    assert total(dispatcher, first) == 4
    assert address


def test_a_head_that_stands_still_makes_no_lane_stuck(dispatcher, first):
    stuck_on(dispatcher, first, "test:1")
    for _ in range(2 * lanes.STUCK_AFTER_BLOCKS):
        forget_sending()
        dispatcher.dispatch_once()
    assert not RelayAccount.objects.exclude(stuck_code="").exists()
    assert states() == {"test:1": "submitted"}


def test_a_lane_that_was_idle_is_not_stuck_when_it_gets_its_next_call(dispatcher, first):
    stuck_on(dispatcher, first, "test:1")
    mine(dispatcher, 2)
    for _ in range(2 * lanes.STUCK_AFTER_BLOCKS):
        dispatcher.chain.mine()
        dispatcher.dispatch_once()
    stuck_on(dispatcher, first, "test:2")
    dispatcher.dispatch_once()
    assert not RelayAccount.objects.exclude(stuck_code="").exists()


def test_what_an_account_signed_is_followed_after_its_key_is_gone(chain, dispatcher, first, relay, other_relay):
    """A key is retired by taking it out of the settings: its lane runs dry, and new calls go elsewhere."""
    row = stuck_on(dispatcher, first, "test:1", 3)
    left = next(each for each in (relay, other_relay) if each.address != row.sender)
    chain.forget_pool()
    remaining = Dispatcher(chain, left)

    add(first, "test:2", 4)
    mine(remaining, 3)

    assert states() == {"test:1": "confirmed", "test:2": "confirmed"}
    assert senders("test:2") == {left.address}
    assert total(dispatcher, first) == 7


def test_a_fault_of_the_node_on_one_lane_loses_nothing_of_the_other(dispatcher, first, second, monkeypatch):
    monkeypatch.setattr(broadcasts, "MAX_BATCH", 1)
    for number in range(6):
        add((first, second)[number % 2], f"test:{number}")
    dispatcher.chain.fail("send_raw_answer", ChainUnavailableError("away"))
    with pytest.raises(ChainUnavailableError):
        dispatcher.dispatch_once()

    mine(dispatcher, 3)
    assert set(states().values()) == {"confirmed"}
    assert (total(dispatcher, first), total(dispatcher, second)) == (3, 3)


def test_a_stuck_lane_is_a_finding_with_its_remedy(dispatcher, first, settings):
    row = stuck_on(dispatcher, first, "test:1")
    assert health.lanes().well
    assert health.lanes().figures == {"lanes": 2, "stuck": 0}
    dispatcher.chain.unauthorized.add(row.sender)
    forget_sending()
    dispatcher.dispatch_once()

    found = health.lanes()
    assert (found.well, found.figures) == (False, {"lanes": 2, "stuck": 1})
    assert row.sender in found.text
    assert "allow list" in found.remedy
    written = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("chain", "status", stdout=written)
    assert f"relay account {row.sender}: " in written.getvalue()
