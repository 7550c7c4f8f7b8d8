"""The projector over a chain in memory: exactly once, in order, each stream by itself, and what a lost chain means."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consortium.common.correlation import correlation_id, set_correlation_id
from consortium.common.tenancy import act_for
from consortium.membership.models import Membership
from contracts.dispatcher import Dispatcher
from contracts.errors import ChainRewoundError, ChainUnavailableError
from contracts.events import ChainEvent
from contracts.models import AppliedMark, ChainCursor, ChainEventRecord, ContractDeployment, RelayAccount
from contracts.projections import Heard, projects, projects_many
from contracts.projector import ProjectReport, project_once, start_projection
from contracts.reading import streams
from contracts.reading.applying import Applied, apply_next
from contracts.reading.streams import read_window
from tests.chain.counter import fake_chain, text32
from tests.factories.streams import applied_events, forget_applied
from tests.integration.contracts.conftest import add, deploy

pytestmark = pytest.mark.usefixtures("system", "handlers")


@pytest.fixture
def consortium(world) -> UUID:
    return world.consortium.pk


@pytest.fixture
def dispatcher(chain, relay, world) -> Dispatcher:
    made = Dispatcher(chain, relay)
    for consortium in (world.consortium, world.other_consortium):
        deploy(made, consortium.pk)
        start_projection(consortium.pk)
    return made


@pytest.fixture
def seen() -> list[tuple[UUID, int]]:
    totals: list[tuple[UUID, int]] = []

    @projects("Counted")
    def note(consortium_id: UUID, event: ChainEvent) -> None:
        totals.append((consortium_id, event.arguments["total"]))

    return totals


def write_down(consortium_id: UUID, event: ChainEvent) -> None:
    """What a handler does: a row by the event's own identifiers; twice would be seen."""
    place = f"{event.arguments['total']}/{consortium_id.hex}"
    RelayAccount.objects.create(address=place, next_nonce=event.log_index)


def written(consortium_id: UUID) -> list[int]:
    rows = RelayAccount.objects.filter(address__endswith=f"/{consortium_id.hex}").values_list("address", flat=True)
    return sorted(int(row.partition("/")[0]) for row in rows)


@contextmanager
def checked_at_the_end() -> Iterator[None]:
    """Let a savepoint's end check what a commit's would: the test itself is one transaction that never commits."""
    plain = transaction.Atomic.__exit__

    def leave(self: transaction.Atomic, kind: Any, value: Any, trace: Any) -> None:
        if kind is None and connection.in_atomic_block:
            try:
                connection.check_constraints()
            except IntegrityError as error:
                plain(self, IntegrityError, error, None)
                raise
        plain(self, kind, value, trace)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transaction.Atomic, "__exit__", leave)
        yield


def retry_now() -> None:
    ChainEventRecord.objects.filter(retry_at__isnull=False).update(retry_at=timezone.now() - timedelta(seconds=1))


def test_every_event_is_stored_and_handled_once_in_order(dispatcher, consortium, seen):
    add(consortium, "test:1", 3)
    add(consortium, "test:2", 4)
    dispatcher.dispatch_once()

    assert project_once(dispatcher.chain) == ProjectReport(applied=4)
    assert project_once(dispatcher.chain) == ProjectReport()

    assert [total for found, total in seen if found == consortium] == [0, 3, 7]
    record = ChainEventRecord.objects.order_by("block_number").last()
    counter = ContractDeployment.objects.get(consortium_id=consortium)
    assert record is not None
    assert record.event == dispatcher.chain.logs([counter.reference], 0, 99)[-1]
    assert ChainCursor.objects.get(pk=consortium).position == dispatcher.chain.head().number


def test_two_handlers_of_an_event_run_together_or_not_at_all(dispatcher, consortium):
    @projects("Counted")
    def write(consortium_id: UUID, event: ChainEvent) -> None:
        RelayAccount.objects.get_or_create(address=f"{consortium_id}"[:42])

    @projects("Counted")
    def fail(consortium_id: UUID, event: ChainEvent) -> None:
        raise LookupError("not today")

    assert project_once(dispatcher.chain).failed == 2
    assert RelayAccount.objects.count() == 1
    assert applied_events() == 0


def test_a_handler_of_one_contract_does_not_hear_another(dispatcher, consortium):
    heard = []
    projects("Counted", contract="Abacus")(lambda consortium_id, event: heard.append("abacus"))
    projects("Counted", contract="Counter")(lambda consortium_id, event: heard.append("counter"))

    project_once(dispatcher.chain)
    assert heard == ["counter", "counter"]


def test_a_failing_handler_stops_its_own_stream_alone_and_is_tried_again(dispatcher, consortium, world):
    faults = ["first"]

    @projects("Counted")
    def flaky(consortium_id: UUID, event: ChainEvent) -> None:
        if consortium_id == consortium and event.arguments["total"] == 3 and faults:
            raise LookupError(faults[0])
        write_down(consortium_id, event)

    add(consortium, "test:1", 3)
    add(consortium, "test:2", 4)
    add(world.other_consortium.pk, "test:3", 5)
    dispatcher.dispatch_once()

    assert project_once(dispatcher.chain) == ProjectReport(applied=3, failed=1)
    assert (written(consortium), written(world.other_consortium.pk)) == ([0], [0, 5])
    stuck = ChainEventRecord.objects.get(consortium_id=consortium, failed_text__gt="")
    assert (stuck.failed_text, stuck.attempts) == ("LookupError: first", 1)

    assert project_once(dispatcher.chain) == ProjectReport(failed=1)
    faults[0] = "second"
    retry_now()
    assert project_once(dispatcher.chain).failed == 1
    stuck.refresh_from_db()
    assert stuck.attempts == 2
    assert stuck.retry_at is not None
    assert stuck.retry_at > timezone.now() + timedelta(seconds=1)
    faults.clear()
    retry_now()
    assert project_once(dispatcher.chain) == ProjectReport(applied=2)
    assert written(consortium) == [0, 3, 7]


def test_a_handler_runs_under_the_id_of_the_act_that_asked(dispatcher, consortium):
    ids = []
    projects("Counted")(lambda consortium_id, event: ids.append((event.arguments["total"], correlation_id())))
    project_once(dispatcher.chain)
    ids.clear()
    asked = []
    for total in (1, 2):
        set_correlation_id(None)
        asked.append((total, add(consortium, f"test:{total}").correlation_id))
    dispatcher.dispatch_once()

    project_once(dispatcher.chain)
    assert ids == asked
    assert asked[0][1] != asked[1][1]


def test_a_node_that_does_not_answer_loses_no_event(dispatcher, consortium, seen):
    add(consortium, "test:1", 3)
    dispatcher.dispatch_once()
    for method in ("head", "logs", "block"):
        dispatcher.chain.fail(method, ChainUnavailableError("away"), times=2)
        with pytest.raises(ChainUnavailableError):
            project_once(dispatcher.chain)
    assert seen == []

    project_once(dispatcher.chain)
    assert [total for found, total in seen if found == consortium] == [0, 3]


def test_what_is_stored_is_applied_while_the_node_is_away(dispatcher, consortium, seen):
    project_once(dispatcher.chain)
    forget_applied()
    seen.clear()

    dispatcher.chain.fail("check_chain", ChainUnavailableError("away"), times=2)
    with pytest.raises(ChainUnavailableError):
        project_once(dispatcher.chain)
    assert len(seen) == 2


def test_many_blocks_are_read_window_by_window(dispatcher, consortium, seen, monkeypatch):
    monkeypatch.setattr(streams, "WINDOW_BLOCKS", 3)
    for number in range(10):
        add(consortium, f"test:{number}")
    dispatcher.dispatch_once()

    project_once(dispatcher.chain)
    assert [total for found, total in seen if found == consortium] == list(range(11))


def test_an_event_in_the_block_of_a_later_contract_is_not_missed(dispatcher, consortium, seen):
    """A contract that joins later is read from its own block on, even where the cursor has passed it."""
    add(consortium, "test:1")
    dispatcher.dispatch_once()
    late = dispatcher.chain.head().number
    project_once(dispatcher.chain)
    ContractDeployment.objects.create(
        consortium_id=consortium,
        name="Other",
        address=ContractDeployment.objects.get(consortium_id=consortium).address,
        block=late,
    )

    start_projection(consortium)
    assert ChainCursor.objects.get(pk=consortium).position == late - 1


def test_events_of_a_contract_that_joins_later_are_applied_though_the_mark_has_passed_them(
    dispatcher, consortium, seen
):
    add(consortium, "test:1")
    add(consortium, "test:2", 4)
    dispatcher.dispatch_once()
    project_once(dispatcher.chain)
    mark = AppliedMark.objects.get(pk=consortium).place
    early = ChainEventRecord.objects.filter(consortium_id=consortium).order_by("block_number").first()
    assert early is not None
    # As if its contract had not been known when its block was read.
    early.delete()
    faults = ["first"]

    @projects("Counted")
    def fail_once(consortium_id: UUID, event: ChainEvent) -> None:
        if faults:
            raise LookupError(faults.pop())

    ChainCursor.objects.filter(pk=consortium).update(position=0, block_hash=b"")

    assert project_once(dispatcher.chain).failed == 1
    assert AppliedMark.objects.get(pk=consortium).place == mark
    late = ChainEventRecord.objects.get(consortium_id=consortium, is_late=True)
    assert (late.place, late.attempts) == (early.place, 1)
    seen.clear()
    retry_now()
    assert project_once(dispatcher.chain) == ProjectReport(applied=1)
    assert seen == [(consortium, 0)]
    assert not ChainEventRecord.objects.filter(is_late=True).exists()
    assert AppliedMark.objects.get(pk=consortium).place == mark
    assert project_once(dispatcher.chain) == ProjectReport()


@pytest.mark.parametrize("kept", [1, 3])
def test_the_development_chain_is_read_again_from_the_common_block(dispatcher, consortium, seen, kept):
    for number in range(4):
        add(consortium, f"test:{number}")
    dispatcher.dispatch_once()
    project_once(dispatcher.chain)
    addresses = set(ContractDeployment.objects.values_list("address", flat=True))

    dispatcher.chain.lose_blocks_after(kept)
    dispatcher.chain.mine(empty=True)
    project_once(dispatcher.chain)
    assert not ChainEventRecord.objects.filter(block_number__gt=kept).exists()
    seen.clear()
    dispatcher.dispatch_once()
    project_once(dispatcher.chain)

    totals = [total for found, total in seen if found == consortium]
    assert totals == [0, 1, 2, 3, 4][-len(totals) :]
    assert totals[-1] == 4
    assert ChainEventRecord.objects.filter(consortium_id=consortium).count() == 5
    assert set(ContractDeployment.objects.values_list("address", flat=True)) == addresses


def test_blocks_replaced_at_the_same_height_are_noticed(dispatcher, consortium, seen):
    add(consortium, "test:1", 3)
    dispatcher.dispatch_once()
    project_once(dispatcher.chain)
    height = dispatcher.chain.head().number

    dispatcher.chain.lose_blocks_after(height - 1)
    dispatcher.chain.mine(empty=True)
    dispatcher.dispatch_once()
    project_once(dispatcher.chain)

    record = ChainEventRecord.objects.get(consortium_id=consortium, arguments__total__int="3")
    assert record.block_number == height + 1
    assert record.block_hash == "0x" + dispatcher.chain.block(height + 1).hash.hex()


def test_anywhere_else_a_shorter_chain_halts_with_an_alarm(relay, world, consortium, seen):
    chain = fake_chain(chain_id=20_261)
    dispatcher = Dispatcher(chain, relay)
    deploy(dispatcher, consortium)
    start_projection(consortium)
    add(consortium, "test:1", 3)
    dispatcher.dispatch_once()
    project_once(chain)

    chain.lose_blocks_after(1)
    with pytest.raises(ChainRewoundError):
        project_once(chain)

    assert ChainEventRecord.objects.count() == 2
    cursor = ChainCursor.objects.get()
    assert cursor.position == 2
    assert "is not what was read before" in cursor.halted_text


def test_an_alarm_of_one_stream_does_not_stop_the_others(relay, world, consortium, seen):
    chain = fake_chain(chain_id=20_261)
    dispatcher = Dispatcher(chain, relay)
    for found in (consortium, world.other_consortium.pk):
        deploy(dispatcher, found)
        start_projection(found)
    project_once(chain)
    first, other = ChainCursor.objects.order_by("pk").values_list("pk", flat=True)
    ChainCursor.objects.filter(pk=first).update(block_hash=b"\x01" * 32)
    add(other, "test:1", 5)
    dispatcher.dispatch_once()
    seen.clear()

    with pytest.raises(ChainRewoundError):
        project_once(chain)
    assert seen == [(other, 5)]


def test_replaying_the_chain_into_empty_tables_gives_the_same_events(dispatcher, consortium, seen):
    for number in range(4):
        add(consortium, f"test:{number}")
    dispatcher.dispatch_once()
    project_once(dispatcher.chain)
    first, kept = list(seen), list(ChainEventRecord.objects.values_list("transaction_hash", "arguments", "log_index"))

    seen.clear()
    ChainEventRecord.objects.all().delete()
    ChainCursor.objects.all().delete()
    for deployment in ContractDeployment.objects.all():
        start_projection(deployment.consortium_id)
    project_once(dispatcher.chain)

    assert seen == first
    assert list(ChainEventRecord.objects.values_list("transaction_hash", "arguments", "log_index")) == kept


def test_members_read_their_consortiums_events_and_outsiders_do_not(dispatcher, consortium, world, become):
    project_once(dispatcher.chain)
    with become("consilium_app"):
        for organization, seen in ((world.hospital, 1), (world.outsider, 1)):
            with act_for(organization_id=organization.pk):
                found = {row.consortium_id for row in ChainEventRecord.objects.all()}
                assert len(found) == seen
                assert (consortium in found) == (organization == world.hospital)
                assert {row.pk for row in ChainCursor.objects.all()} == found
                assert {row.consortium_id for row in ContractDeployment.objects.all()} == found


def test_the_names_of_a_reason_are_bytes(dispatcher, consortium):
    project_once(dispatcher.chain)
    event = ChainEventRecord.objects.filter(consortium_id=consortium).get().event
    assert event.arguments["reason"] == text32("created")


def test_what_fails_among_many_is_found_and_what_goes_before_it_is_applied_once(dispatcher, consortium, caplog):
    @projects("Counted")
    def fail_at_seven(consortium_id: UUID, event: ChainEvent) -> None:
        write_down(consortium_id, event)
        if event.arguments["total"] == 7:
            raise LookupError("seven")

    for number in range(10):
        add(consortium, f"test:{number}")
    dispatcher.dispatch_once()

    assert project_once(dispatcher.chain).failed == 1
    assert written(consortium) == list(range(7))
    applied = ChainEventRecord.objects.applied(AppliedMark.objects.get(pk=consortium))
    assert applied.count() == 7
    retry_now()
    project_once(dispatcher.chain)
    assert written(consortium) == list(range(7))
    said = [(record.levelname, "failed again" in record.message) for record in caplog.records]
    assert said == [("ERROR", False), ("WARNING", True)]


def test_a_stream_says_that_it_goes_on_again(dispatcher, consortium, caplog):
    faults = ["first"]

    @projects("Counted")
    def flaky(consortium_id: UUID, event: ChainEvent) -> None:
        if faults:
            raise LookupError(faults[0])

    project_once(dispatcher.chain)
    faults.clear()
    retry_now()
    assert project_once(dispatcher.chain) == ProjectReport(applied=2)
    assert sorted(record.message for record in caplog.records if "goes on" in record.message) == [
        "Counter.Counted in block 1 is applied, failed attempts before: 1. Its stream goes on.",
        "Counter.Counted in block 2 is applied, failed attempts before: 1. Its stream goes on.",
    ]


def test_a_fault_that_only_the_end_of_the_transaction_shows_is_pinned_to_its_event(dispatcher, consortium, world):
    """A foreign key is checked at the commit: a chunk's commit tells of no event, a single one's does."""

    @projects("Counted")
    def point_nowhere(consortium_id: UUID, event: ChainEvent) -> None:
        write_down(consortium_id, event)
        if event.arguments["total"] == 2:
            Membership.objects.create(consortium_id=consortium_id, organization_id=UUID(int=1))

    for number in range(4):
        add(consortium, f"test:{number}")
    dispatcher.dispatch_once()
    with checked_at_the_end():
        assert project_once(dispatcher.chain).failed == 1
    assert written(consortium) == [0, 1]
    assert ChainEventRecord.objects.get(failed_text__startswith="IntegrityError").arguments["total"] == {"int": "2"}


def test_neighbors_are_handed_over_together_and_never_past_anothers_event(dispatcher, consortium):
    heard: list[list[int]] = []

    @projects_many("Counted", contract="Counter")
    def many(consortium_id: UUID, batch: Sequence[Heard]) -> None:
        if consortium_id == consortium:
            heard.append([one.event.arguments["total"] for one in batch])

    projects("Stepped")(lambda consortium_id, event: heard.append([-1]))
    add(consortium, "test:1")
    add(consortium, "test:2")
    add(consortium, "test:3", function="walk", arguments=[[]])
    add(consortium, "test:4")
    dispatcher.dispatch_once()

    project_once(dispatcher.chain)
    assert heard == [[0, 1, 2], [-1], [2, 3]]


def test_one_event_of_a_block_takes_no_more_questions_than_it_needs(dispatcher, consortium, seen):
    project_once(dispatcher.chain)
    add(consortium, "test:1")
    dispatcher.dispatch_once()
    assert read_window(dispatcher.chain, consortium) is False
    # Savepoint, mark, events with their two settings, ids of their acts, mark, release: no more for ten than for one.
    with CaptureQueriesContext(connection) as asked:
        assert apply_next(consortium) == Applied(1)
    assert len(asked) == 8


def test_a_contract_whose_events_cannot_be_read_stops_its_own_stream_with_the_reason(
    dispatcher, consortium, world, seen, caplog
):
    ContractDeployment.objects.filter(consortium_id=consortium).update(schema="0123456789abcdef")
    for _ in range(2):
        report = project_once(dispatcher.chain)

    assert report == ProjectReport(failed=1)
    assert seen == [(world.other_consortium.pk, 0)]
    cursor = ChainCursor.objects.get(pk=consortium)
    assert "have the schema 0123456789abcdef, and this installation knows" in cursor.halted_text
    assert [record.message.partition(":")[0] for record in caplog.records] == ["unknown_schema"]

    ContractDeployment.objects.filter(consortium_id=consortium).update(schema="")
    assert project_once(dispatcher.chain) == ProjectReport(applied=1)
    assert ChainCursor.objects.get(pk=consortium).halted_text == ""


def test_a_handler_of_one_schema_does_not_hear_another_and_a_form_nobody_knows_stops_the_stream(dispatcher, consortium):
    heard = []
    schema = ContractDeployment.objects.get(consortium_id=consortium).schema
    assert schema == dispatcher.chain.artifacts["Counter"].schema
    projects("Counted", schema="0123456789abcdef")(lambda consortium_id, event: heard.append("other"))

    assert project_once(dispatcher.chain).failed == 2
    row = ChainEventRecord.objects.filter(consortium_id=consortium).get()
    assert row.schema == schema
    assert row.failed_text.startswith(f"UnknownSchemaError: No handler knows Counter.Counted of the schema '{schema}'")

    projects("Counted", schema=schema)(lambda consortium_id, event: heard.append("this"))
    retry_now()
    assert project_once(dispatcher.chain) == ProjectReport(applied=2)
    assert heard == ["this", "this"]
