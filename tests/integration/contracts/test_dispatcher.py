"""The dispatcher over a chain in memory: every outcome, every fault, and a kill between any two steps."""

from datetime import timedelta

import pytest
from django.utils import timezone
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from contracts import health, outbox
from contracts.dispatcher import Dispatcher
from contracts.errors import (
    ChainBehindError,
    ChainRequestError,
    ChainRewoundError,
    ChainTimeoutError,
    ChainUnavailableError,
    NonceTooDistantError,
    NonceTooLowError,
    SenderNotAuthorizedError,
    TransactionRevertedError,
    WrongChainError,
)
from contracts.models import ContractDeployment, OutboxTransaction, RelayAccount
from contracts.relay import Relay
from contracts.sending import broadcasts, claims, settlements, trials
from contracts.sending.lanes import Lane
from tests.chain.counter import LIMIT, fake_chain, text32
from tests.integration.contracts.conftest import add, deploy, forget_sending, settle, states, total

pytestmark = pytest.mark.usefixtures("system", "handlers")

STEPS = [
    "claimed",
    "simulated",
    "nonce_taken",
    "signed",
    "persisted",
    "committed",
    "sending",
    "sent",
    "noted",
    "receipt_read",
    "settled",
    "outcome_delivered",
]


class Killed(BaseException):
    """The program ends here, as by kill -9: no handler of ours may catch it."""


@pytest.fixture
def dispatcher(chain, relay, world) -> Dispatcher:
    made = Dispatcher(chain, relay)
    deploy(made, world.consortium.pk)
    return made


@pytest.fixture
def consortium(world):
    return world.consortium.pk


def test_a_call_is_signed_sent_and_confirmed_with_its_block(dispatcher, consortium):
    row = add(consortium, "test:1", 3)

    report = dispatcher.dispatch_once()

    assert (report.sent, report.confirmed, report.failed) == (1, 1, 0)
    row.refresh_from_db()
    assert (row.state, row.nonce, row.block) == ("confirmed", 1, dispatcher.chain.head().number)
    assert row.gas == dispatcher.chain.receipt(bytes.fromhex(row.transaction_hash[2:])).gas_used
    assert total(dispatcher) == 3
    assert dispatcher.dispatch_once().is_idle


def test_a_creation_makes_the_deployment_known(dispatcher, consortium):
    found = ContractDeployment.objects.get(consortium_id=consortium)
    assert (found.name, found.block, found.constructor_arguments) == ("Counter", 1, [{"int": str(LIMIT)}])
    assert dispatcher.chain.code(found.address) != b""


def test_several_calls_go_out_at_once_with_consecutive_nonces(dispatcher, consortium, world):
    dispatcher.chain.automine = False
    deploy(dispatcher, world.other_consortium.pk)
    for number in range(6):
        add((consortium, world.other_consortium.pk)[number % 2], f"test:{number}")

    dispatcher.dispatch_once()
    rows = OutboxTransaction.objects.filter(state="submitted").order_by("position")
    assert [row.nonce for row in rows] == [2, 3, 4, 5, 6, 7]
    dispatcher.chain.mine()
    assert dispatcher.dispatch_once().confirmed == 6


def test_a_refused_call_fails_with_the_contracts_own_words_and_takes_no_nonce(dispatcher, consortium):
    row = add(consortium, "test:1", LIMIT + 1)

    assert dispatcher.dispatch_once().failed == 1

    row.refresh_from_db()
    assert (row.state, row.error_code, row.nonce) == ("failed", "CounterTooLarge", None)
    assert row.error_text == "The contract refused: CounterTooLarge(limit=100, asked=101)."
    assert RelayAccount.objects.get().next_nonce == 1


def test_a_call_that_depends_on_one_under_way_waits_for_it(dispatcher, consortium):
    dispatcher.chain.automine = False
    add(consortium, "test:1", 5)
    add(consortium, "test:2", function="addAfterOthers", arguments=[5])
    add(consortium, "test:3", 1)

    dispatcher.dispatch_once()
    assert states() == {"test:1": "submitted", "test:2": "recorded", "test:3": "recorded"}
    dispatcher.chain.mine()
    dispatcher.dispatch_once()
    assert states() == {"test:1": "confirmed", "test:2": "submitted", "test:3": "submitted"}
    dispatcher.chain.mine()
    dispatcher.dispatch_once()
    assert total(dispatcher) == 7


def test_another_consortium_does_not_wait(dispatcher, consortium, world):
    dispatcher.chain.automine = False
    deploy(dispatcher, world.other_consortium.pk)
    add(consortium, "test:1", 5)
    add(consortium, "test:2", function="addAfterOthers", arguments=[5])
    add(world.other_consortium.pk, "test:3")

    dispatcher.dispatch_once()
    assert states() == {"test:1": "submitted", "test:2": "recorded", "test:3": "submitted"}


def test_a_consortium_that_waits_with_many_calls_holds_up_no_other(dispatcher, consortium, world, monkeypatch):
    monkeypatch.setattr(claims, "MAX_CLAIM", 3)
    dispatcher.chain.automine = False
    deploy(dispatcher, world.other_consortium.pk)
    add(consortium, "test:first", 5)
    for number in range(8):
        add(consortium, f"test:{number}", function="addAfterOthers", arguments=[5 + number])
    add(world.other_consortium.pk, "test:other")

    dispatcher.dispatch_once()
    assert (states()["test:other"], states()["test:0"]) == ("submitted", "recorded")


def test_a_call_refused_after_it_was_accepted_fails_with_its_reason(dispatcher, consortium):
    dispatcher.chain.automine = False
    add(consortium, "test:1", LIMIT - 1)
    row = add(consortium, "test:2", 2)

    dispatcher.dispatch_once()
    dispatcher.chain.mine()
    report = dispatcher.dispatch_once()

    assert (report.confirmed, report.failed) == (1, 1)
    row.refresh_from_db()
    assert (row.error_code, row.block) == ("CounterTooLarge", 2)
    assert "asked=101" in row.error_text


@pytest.mark.parametrize(
    ("contract", "function", "arguments", "code"),
    [
        ("Counter", "subtract", [1], "unknown_contract"),
        ("Counter", "add", ["many", text32("x"), ""], "contract_arguments"),
        ("Abacus", "add", [1], "unknown_contract"),
    ],
)
def test_a_call_that_no_contract_has_fails_by_name(dispatcher, consortium, contract, function, arguments, code):
    row = add(consortium, "test:1", contract=contract, function=function, arguments=arguments)

    assert dispatcher.dispatch_once().failed == 1
    row.refresh_from_db()
    assert (row.state, row.error_code, row.nonce) == ("failed", code, None)


def test_a_call_that_takes_half_a_block_is_refused(dispatcher, consortium, monkeypatch):
    monkeypatch.setattr(trials, "MAX_TRANSACTION_GAS", 10_000)
    row = add(consortium, "test:1")

    dispatcher.dispatch_once()
    row.refresh_from_db()
    assert (row.state, row.error_code) == ("failed", "gas_limit")


def test_a_call_that_no_node_takes_for_its_length_fails_before_it_holds_up_a_lane(dispatcher, consortium):
    # Besu 26.8.1 refuses transactions above 128 KiB at the pool's door.
    for key, letters in (("long", 131_072), ("short", 1_000)):
        add(consortium, key, arguments=[1, text32("test"), "x" * letters])

    settle(dispatcher)

    assert states() == {"long": "failed", "short": "confirmed"}
    assert OutboxTransaction.objects.get(idempotency_key="long").error_code == "transaction_too_large"
    assert total(dispatcher) == 1


@pytest.mark.parametrize("method", ["check_chain", "transaction_count", "simulate", "send_raw", "receipt"])
@pytest.mark.parametrize("error", [ChainUnavailableError, ChainTimeoutError])
def test_a_node_that_does_not_answer_loses_nothing(dispatcher, consortium, method, error):
    add(consortium, "test:1", 3)
    dispatcher.chain.fail(method, error("away"))

    for _ in range(3):
        try:
            dispatcher.dispatch_once()
        except error:
            forget_sending()

    assert states() == {"test:1": "confirmed"}
    assert total(dispatcher) == 3
    assert dispatcher.chain.transaction_count(dispatcher.relay.address) == 2


def test_an_answer_that_was_lost_doubles_nothing(dispatcher, consortium):
    """The node took the bytes and mined them, and its answer never came."""
    add(consortium, "test:1", 3)
    dispatcher.chain.fail("send_raw_answer", ChainTimeoutError("late"))

    with pytest.raises(ChainTimeoutError):
        dispatcher.dispatch_once()
    assert states() == {"test:1": "submitted"}
    dispatcher.dispatch_once()

    assert states() == {"test:1": "confirmed"}
    assert len(dispatcher.chain.sent) == 2


def test_a_used_nonce_with_our_receipt_is_a_success(dispatcher, consortium):
    """Besu answers "Nonce too low" to bytes that are mined, not "known"."""
    add(consortium, "test:1", 3)
    dispatcher.chain.fail("receipt", ChainUnavailableError("away"))
    with pytest.raises(ChainUnavailableError):
        dispatcher.dispatch_once()
    forget_sending()
    dispatcher.chain.fail("transaction_count", ChainUnavailableError("away"))
    with pytest.raises(ChainUnavailableError):
        dispatcher.dispatch_once()

    dispatcher.dispatch_once()
    assert states() == {"test:1": "confirmed"}
    assert total(dispatcher) == 3


def test_a_pool_that_was_lost_gets_the_same_bytes_again(dispatcher, consortium):
    dispatcher.chain.automine = False
    for number in range(3):
        add(consortium, f"test:{number}")
    dispatcher.dispatch_once()
    first = dispatcher.chain.sent[-3:]

    dispatcher.chain.forget_pool()
    assert dispatcher.dispatch_once().resent == 0
    forget_sending()
    assert dispatcher.dispatch_once().resent == 3

    assert dispatcher.chain.sent[-3:] == first
    dispatcher.chain.mine()
    dispatcher.dispatch_once()
    assert set(states().values()) == {"confirmed"}


def test_sending_stops_with_the_batch_in_which_a_nonce_is_too_far_ahead(dispatcher, consortium, monkeypatch):
    """The node refuses the middle of a batch and takes what is behind it; what follows begins with the refused one."""
    monkeypatch.setattr(broadcasts, "MAX_BATCH", 3)
    dispatcher.chain.automine = False
    for number in range(9):
        add(consortium, f"test:{number}")
    real, asked = dispatcher.chain.send_raw, []

    def refuse_the_fifth(raw: bytes) -> bytes:
        asked.append(raw)
        if len(asked) == 5:
            raise NonceTooDistantError("too far")
        return real(raw)

    monkeypatch.setattr(dispatcher.chain, "send_raw", refuse_the_fifth)
    assert dispatcher.dispatch_once().sent == 4
    assert [each.nonce for each in dispatcher.chain.pool] == [1, 2, 3, 4, 6]

    assert dispatcher.dispatch_once().resent == 5
    assert [each.nonce for each in dispatcher.chain.pool] == [1, 2, 3, 4, 6, 5, 7, 8, 9]
    dispatcher.chain.mine()
    assert dispatcher.dispatch_once().confirmed == 9
    assert total(dispatcher) == 9


def test_a_pool_that_takes_fewer_leaves_no_gap(dispatcher, consortium, monkeypatch):
    monkeypatch.setattr(broadcasts, "MAX_BATCH", 4)
    dispatcher.chain.automine = False
    dispatcher.chain.max_ahead = 5
    for number in range(20):
        add(consortium, f"test:{number}")

    for _ in range(20):
        dispatcher.dispatch_once()
        waiting = [each.nonce for each in dispatcher.chain.pool]
        assert len(waiting) <= 6
        assert waiting == list(range(min(waiting, default=0), min(waiting, default=0) + len(waiting)))
        dispatcher.chain.mine()

    dispatcher.dispatch_once()
    assert set(states().values()) == {"confirmed"}
    assert total(dispatcher) == 20


def test_no_more_are_under_way_than_the_pool_takes(dispatcher, consortium, monkeypatch):
    monkeypatch.setattr(claims, "MAX_IN_FLIGHT", 4)
    dispatcher.chain.automine = False
    for number in range(6):
        add(consortium, f"test:{number}")

    dispatcher.dispatch_once()
    assert len(dispatcher.chain.pool) == 4
    dispatcher.chain.mine()
    dispatcher.dispatch_once()
    dispatcher.chain.mine()
    dispatcher.dispatch_once()
    assert total(dispatcher) == 6


def test_bytes_that_the_node_never_takes_leave_no_gap(dispatcher, consortium):
    first, second = add(consortium, "test:1"), add(consortium, "test:2")
    dispatcher.chain.fail("send_raw", ChainRequestError("Invalid params"))

    for _ in range(2):
        dispatcher.dispatch_once()

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.error_code, first.nonce) == ("failed", "chain_request", None)
    assert (second.state, second.nonce) == ("confirmed", 2)
    assert total(dispatcher) == 1


def test_an_account_that_may_not_send_stops_the_dispatcher_and_keeps_the_call(dispatcher, consortium):
    add(consortium, "test:1")
    dispatcher.chain.fail("send_raw", SenderNotAuthorizedError("not on the list"))

    with pytest.raises(SenderNotAuthorizedError):
        dispatcher.dispatch_once()
    assert states() == {"test:1": "submitted"}
    dispatcher.dispatch_once()
    assert states() == {"test:1": "confirmed"}


def test_nothing_is_sent_to_another_chain(dispatcher, consortium):
    add(consortium, "test:1")
    dispatcher.chain.fail("check_chain", WrongChainError("another"))

    with pytest.raises(WrongChainError):
        dispatcher.dispatch_once()
    assert states() == {"test:1": "recorded"}
    assert len(dispatcher.chain.sent) == 1


def test_a_nonce_used_by_other_bytes_is_taken_anew_after_a_while(dispatcher, consortium):
    """Somebody sent with the relay's key: our bytes can never be mined, so the call is signed again, once."""
    dispatcher.chain.automine = False
    add(consortium, "test:1", 3)
    dispatcher.dispatch_once()
    dispatcher.chain.forget_pool()
    foreign = dispatcher.relay.sign(
        to=dispatcher.relay.address, data=b"", nonce=1, gas=30_000, chain_id=dispatcher.chain.chain_id
    )
    dispatcher.chain.send_raw(foreign.raw)
    dispatcher.chain.mine()

    dispatcher.dispatch_once()
    assert states() == {"test:1": "submitted"}
    for _ in range(4):
        dispatcher.chain.mine()
        dispatcher.dispatch_once()

    assert states() == {"test:1": "confirmed"}
    assert total(dispatcher) == 3


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_loses_and_doubles_nothing(dispatcher, consortium, step):
    heard = []
    outbox.on_outcome("test")(lambda row: heard.append((row.idempotency_key, row.state)))
    add(consortium, "test:1", 3)
    add(consortium, "test:2", 4)

    def kill(name: str) -> None:
        if name == step:
            raise Killed

    # What a kill undoes is the open transaction alone (here a savepoint): finished ones are kept.
    with pytest.raises(Killed):
        Dispatcher(dispatcher.chain, dispatcher.relay, at=kill).dispatch_once()
    forget_sending()
    for _ in range(2):
        Dispatcher(dispatcher.chain, dispatcher.relay).dispatch_once()

    assert states() == {"test:1": "confirmed", "test:2": "confirmed"}
    assert total(dispatcher) == 7
    assert dispatcher.chain.transaction_count(dispatcher.relay.address) == 3
    assert sorted(set(heard)) == [("test:1", "confirmed"), ("test:2", "confirmed")]


@pytest.mark.parametrize("occurrence", [1, 2, 3])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_in_any_batch_loses_and_doubles_nothing(chain, relay, world, monkeypatch, step, occurrence):
    """Two lanes, batches of two, and the kill at the first, second or third time that the step is reached."""
    for module in (broadcasts, settlements):
        monkeypatch.setattr(module, "MAX_BATCH", 2)
    monkeypatch.setattr(claims, "MAX_CLAIM", 2)
    relays = (relay, Relay(Account.create()))
    consortia = (world.consortium.pk, world.other_consortium.pk)
    for consortium in consortia:
        deploy(Dispatcher(chain, *relays), consortium)
    heard = []
    outbox.on_outcome("test")(lambda row: heard.append(row.idempotency_key))
    for number in range(10):
        add(consortia[number % 2], f"{('test', 'quiet')[number // 5]}:{number}")
    reached = []

    def kill(name: str) -> None:
        reached.append(name)
        if reached.count(step) == occurrence:
            raise Killed

    with pytest.raises(Killed):
        Dispatcher(chain, *relays, at=kill).dispatch_once()
    forget_sending()
    for _ in range(2):
        Dispatcher(chain, *relays).dispatch_once()

    assert set(states().values()) == {"confirmed"}
    dispatcher = Dispatcher(chain, *relays)
    assert [total(dispatcher, consortium) for consortium in consortia] == [5, 5]
    assert sum(chain.transaction_count(each.address) for each in relays) == 12
    assert set(heard) == {f"test:{number}" for number in range(5)}
    assert not OutboxTransaction.objects.filter(outcome_delivered_at=None).exists()


def test_receipts_may_come_out_of_order(dispatcher, consortium, monkeypatch):
    dispatcher.chain.automine = False
    rows = [add(consortium, f"test:{number}") for number in range(3)]
    dispatcher.dispatch_once()
    dispatcher.chain.mine()
    real, late = dispatcher.chain.receipt, OutboxTransaction.objects.get(pk=rows[0].pk).transaction_hash

    monkeypatch.setattr(dispatcher.chain, "receipt", lambda each: None if each.hex() == late[2:] else real(each))
    dispatcher.dispatch_once()
    assert states() == {"test:0": "submitted", "test:1": "confirmed", "test:2": "confirmed"}

    monkeypatch.setattr(dispatcher.chain, "receipt", real)
    dispatcher.dispatch_once()
    assert set(states().values()) == {"confirmed"}
    assert total(dispatcher) == 3


def test_a_head_that_stands_still_fails_nothing_and_keeps_the_limit(dispatcher, consortium, monkeypatch):
    """Two of four validators are gone: transactions are still accepted, and nothing is mined."""
    monkeypatch.setattr(claims, "MAX_IN_FLIGHT", 4)
    dispatcher.chain.automine = False
    for number in range(9):
        add(consortium, f"test:{number}")
    for _ in range(100):
        forget_sending()
        dispatcher.dispatch_once()
        assert len(dispatcher.chain.pool) == 4

    assert sorted(states().values()) == ["recorded"] * 5 + ["submitted"] * 4
    OutboxTransaction.objects.filter(state="submitted").update(submitted_at=timezone.now() - timedelta(minutes=3))
    OutboxTransaction.objects.filter(state="recorded").update(created_at=timezone.now())
    found = health.outbox()
    assert (found.well, found.figures["in_flight"]) == (False, 4)
    assert "Does the chain make blocks?" in found.remedy

    for _ in range(3):
        dispatcher.chain.mine()
        dispatcher.dispatch_once()
    assert set(states().values()) == {"confirmed"}
    assert total(dispatcher) == 9


def test_bytes_replaced_in_silence_are_signed_anew_once_their_nonce_is_used_up(dispatcher, consortium):
    """Other bytes with our nonce are taken without a word; our hash gives nothing ever after."""
    dispatcher.chain.automine = False
    row = add(consortium, "test:1", 3)
    dispatcher.dispatch_once()
    row.refresh_from_db()
    first = row.transaction_hash
    foreign = dispatcher.relay.sign(
        to=dispatcher.relay.address, data=b"", nonce=row.nonce, gas=30_000, chain_id=dispatcher.chain.chain_id
    )
    dispatcher.chain.send_raw(foreign.raw)
    assert dispatcher.chain.transaction(bytes.fromhex(first[2:])) is None

    for _ in range(settlements.LOST_AFTER_BLOCKS + 3):
        dispatcher.chain.mine()
        dispatcher.dispatch_once()

    row.refresh_from_db()
    assert (row.state, row.transaction_hash == first) == ("confirmed", False)
    assert total(dispatcher) == 3


def test_a_receipt_is_looked_for_by_hash_before_a_used_nonce_means_anything(dispatcher, consortium):
    """ "Nonce too low" for bytes that are mined: no failure, no second signature."""
    row = add(consortium, "test:1", 3)
    dispatcher.chain.fail("receipt", ChainUnavailableError("away"))
    with pytest.raises(ChainUnavailableError):
        dispatcher.dispatch_once()
    row.refresh_from_db()
    signed = bytes(row.raw or b"")
    OutboxTransaction.objects.filter(pk=row.pk).update(broadcast_at=None)
    with pytest.raises(NonceTooLowError):
        dispatcher.chain.send_raw(signed)
    lane = Lane(dispatcher.chain, row.sender, dispatcher.relay, lambda step: None)
    assert broadcasts.broadcast(lane, [row]) == 1
    row.refresh_from_db()
    assert (row.state, bytes(row.raw or b"")) == ("submitted", signed)

    dispatcher.dispatch_once()
    row.refresh_from_db()
    assert (row.state, bytes(row.raw or b"")) == ("confirmed", signed)


def test_a_transaction_that_the_node_knows_counts_as_sent(dispatcher, consortium):
    dispatcher.chain.automine = False
    row = add(consortium, "test:1", 3)
    dispatcher.chain.fail("send_raw_answer", ChainTimeoutError("late"))
    with pytest.raises(ChainTimeoutError):
        dispatcher.dispatch_once()
    row.refresh_from_db()
    assert row.broadcast_at is None

    assert dispatcher.dispatch_once().resent == 1
    row.refresh_from_db()
    assert row.broadcast_at is not None
    assert len(dispatcher.chain.pool) == 1


def test_a_node_that_lags_is_waited_for_and_fails_no_call(relay, world):
    """Its state lacks what a call needs, and its count what is mined: neither is an answer."""
    chain = fake_chain(chain_id=20_261)
    dispatcher = Dispatcher(chain, relay)
    deploy(dispatcher, world.consortium.pk)
    add(world.consortium.pk, "test:1", 5)
    dispatcher.dispatch_once()
    add(world.consortium.pk, "test:2", function="addAfterOthers", arguments=[5])

    chain.lag(1)
    for _ in range(3):
        with pytest.raises(ChainBehindError) as behind:
            dispatcher.dispatch_once()
        assert behind.value.retryable
    assert states() == {"test:1": "confirmed", "test:2": "recorded"}

    chain.catch_up()
    dispatcher.dispatch_once()
    assert states() == {"test:1": "confirmed", "test:2": "confirmed"}
    assert total(dispatcher) == 6


def test_many_calls_that_wait_cost_one_trial_a_pass(dispatcher, consortium, monkeypatch):
    dispatcher.chain.automine = False
    add(consortium, "test:first", 5)
    dispatcher.dispatch_once()
    for number in range(50):
        add(consortium, f"test:{number}", function="addAfterOthers", arguments=[5 + number])
    real, tried = dispatcher.chain.try_many, []

    def count(rows, sender):
        tried.append(len(rows))
        return real(rows, sender=sender)

    monkeypatch.setattr(dispatcher.chain, "try_many", count)
    for _ in range(3):
        dispatcher.dispatch_once()
    # The first of its kind and the others, once; and then the first alone.
    assert tried == [1, 49, 1, 1]

    dispatcher.chain.mine()
    dispatcher.dispatch_once()
    assert states()["test:0"] == "submitted"


def test_a_call_that_needs_more_gas_than_its_kind_is_measured_by_itself(dispatcher, consortium, monkeypatch):
    add(consortium, "test:1")
    dispatcher.dispatch_once()
    real, asked = dispatcher.chain.try_many, []

    def short(rows, sender):
        asked.append([row.gas for row in rows])
        answers = real(rows, sender=sender)
        return [
            TransactionRevertedError("ExecutionHalted") if row.gas is not None else 200_000
            for row, _ in zip(rows, answers, strict=True)
        ]

    monkeypatch.setattr(dispatcher.chain, "try_many", short)
    row = add(consortium, "test:2")
    dispatcher.dispatch_once()

    row.refresh_from_db()
    assert asked == [[50_000], [None]]
    assert row.state == "confirmed"
    assert TypedTransaction.from_bytes(HexBytes(bytes(row.raw or b""))).as_dict()["gas"] == 350_000


def test_a_lost_chain_gets_everything_again_in_order(dispatcher, consortium):
    heard = []
    outbox.on_outcome("test")(lambda row: heard.append(row.block))
    add(consortium, "test:1", 3)
    dispatcher.dispatch_once()
    add(consortium, "test:2", LIMIT)
    add(consortium, "test:3", 4)
    dispatcher.dispatch_once()
    address = ContractDeployment.objects.get().address
    before = states()

    dispatcher.chain.lose_blocks_after(0)
    dispatcher.dispatch_once()

    assert states() == before == {"test:1": "confirmed", "test:2": "failed", "test:3": "confirmed"}
    assert total(dispatcher) == 7
    assert ContractDeployment.objects.get().address == address
    assert len(heard) == 5


def test_a_shorter_chain_anywhere_else_is_an_alarm_and_nothing_is_sent(relay, world, settings):
    chain = fake_chain(chain_id=20_261)
    dispatcher = Dispatcher(chain, relay)
    deploy(dispatcher, world.consortium.pk)
    add(world.consortium.pk, "test:1")
    dispatcher.dispatch_once()
    add(world.consortium.pk, "test:2")

    chain.lose_blocks_after(1)
    with pytest.raises(ChainBehindError, match="block 1, and block 2"):
        dispatcher.dispatch_once()
    chain.mine()
    with pytest.raises(ChainRewoundError):
        dispatcher.dispatch_once()

    assert states() == {"test:1": "confirmed", "test:2": "recorded"}
    assert len(chain.sent) == 2


def test_who_asked_hears_of_the_outcome_once(dispatcher, consortium):
    heard = []
    outbox.on_outcome("ballot")(lambda row: heard.append((row.idempotency_key, row.state, row.error_code)))
    add(consortium, "ballot:1")
    add(consortium, "ballot:2", LIMIT + 1)
    add(consortium, "ballots:3")

    for _ in range(3):
        dispatcher.dispatch_once()
    assert heard == [("ballot:1", "confirmed", ""), ("ballot:2", "failed", "CounterTooLarge")]


def test_what_is_sent_again_after_a_failure_of_the_node_are_the_same_bytes(dispatcher, consortium):
    add(consortium, "test:1", 3)
    dispatcher.chain.automine = False
    dispatcher.chain.fail("send_raw", ChainTimeoutError("late"))
    with pytest.raises(ChainTimeoutError):
        dispatcher.dispatch_once()
    stored = bytes(OutboxTransaction.objects.get(idempotency_key="test:1").raw or b"")

    dispatcher.dispatch_once()
    assert [signed.raw for signed in dispatcher.chain.pool] == [stored]


def test_a_handler_that_fails_is_called_again_and_stops_no_other(dispatcher, consortium, world):
    heard: list[str] = []

    @outbox.on_outcome("flaky")
    def fail_once(row):
        RelayAccount.objects.create(address="half-done")
        if not heard:
            heard.append("failed")
            raise LookupError("not yet")
        heard.append("done")

    outbox.on_outcome("test")(lambda row: heard.append("other"))
    flaky = add(consortium, "flaky:1")
    add(consortium, "test:1")

    dispatcher.dispatch_once()
    flaky.refresh_from_db()
    assert (heard, flaky.state) == (["failed", "other"], "confirmed")
    assert (flaky.outcome_error, flaky.outcome_delivered_at) == ("LookupError: not yet", None)
    assert not RelayAccount.objects.filter(address="half-done").exists()

    dispatcher.dispatch_once()
    assert heard == ["failed", "other"]
    OutboxTransaction.objects.update(outcome_retry_at=timezone.now())
    dispatcher.dispatch_once()
    flaky.refresh_from_db()
    assert (heard, flaky.outcome_error) == (["failed", "other", "done"], "")


def test_two_handlers_for_one_kind_are_refused():
    outbox.on_outcome("ballot")(lambda row: None)
    with pytest.raises(RuntimeError, match="ballot"):
        outbox.on_outcome("ballot")(lambda row: None)
