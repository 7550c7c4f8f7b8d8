"""Contents of old calls are dropped, and nothing that anybody looks up: conservatively, in batches, on the record."""

import io
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit.models import AuditRecord
from consortium.kernel.errors import InvalidInputError
from contracts.dispatcher import Dispatcher
from contracts.errors import ChainUnavailableError
from contracts.models import ChainCursor, OutboxTransaction
from contracts.outbox import IdempotencyKeyReusedError
from contracts.reading.applying import correlation_ids
from contracts.sending import pruning
from contracts.sending.pruning import PruneRefusedError, prune
from contracts.testing import FakeChain
from tests.chain.counter import LIMIT, fake_chain
from tests.integration.contracts.conftest import add, deploy, total

MONTH = timedelta(days=30)
CONTENTS = ("raw", "arguments", "arguments_digest", "contents_dropped_at")


@pytest.fixture
def chain() -> FakeChain:
    """A chain that is final: nothing is sent again."""
    return fake_chain(chain_id=1337)


@pytest.fixture
def consortium(world) -> UUID:
    return world.consortium.pk


@pytest.fixture
def dispatcher(chain, relay, consortium, system, handlers) -> Dispatcher:
    made = Dispatcher(chain, relay)
    deploy(made, consortium)
    return made


def settle_old(dispatcher: Dispatcher, consortium: UUID, number: int = 3) -> list[OutboxTransaction]:
    """Calls that were confirmed two months ago, their blocks read by the projector."""
    rows = [add(consortium, f"test:{index}", index + 1) for index in range(number)]
    dispatcher.dispatch_once()
    age(days=60)
    read_to_the_head(dispatcher, consortium)
    return rows


def age(**since: float) -> None:
    OutboxTransaction.objects.filter(settled_at__isnull=False).update(settled_at=timezone.now() - timedelta(**since))


def read_to_the_head(dispatcher: Dispatcher, consortium: UUID) -> None:
    values = {"first_block": 1, "position": dispatcher.chain.head().number}
    ChainCursor.objects.update_or_create(consortium_id=consortium, defaults=values)


def everything() -> dict[UUID, dict[str, Any]]:
    return {row["id"]: dict(row) for row in OutboxTransaction.objects.values()}


def without_contents(rows: dict[UUID, dict[str, Any]]) -> dict[UUID, dict[str, Any]]:
    return {pk: {name: value for name, value in row.items() if name not in CONTENTS} for pk, row in rows.items()}


def test_bytes_and_arguments_go_and_everything_else_stays(dispatcher, consortium):
    settle_old(dispatcher, consortium)
    before = everything()

    report = prune(dispatcher.chain, older_than=MONTH)

    # Three calls and the creation of their contract.
    assert (report.rows, report.kept) == (4, 0)
    sizes = "sum(pg_column_size(raw) + pg_column_size(arguments))"
    assert report.bytes > 4 * 100
    after = everything()
    assert without_contents(after) == without_contents(before)
    assert all((row["raw"], row["arguments"]) == (None, []) for row in after.values())
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sizes} FROM contracts_outboxtransaction")  # noqa: S608  a constant
        assert cursor.fetchone() == (None,)
    assert prune(dispatcher.chain, older_than=MONTH).rows == 0


def test_a_dry_run_counts_the_same_and_drops_nothing(dispatcher, consortium):
    settle_old(dispatcher, consortium)
    before = everything()

    dry = prune(dispatcher.chain, older_than=MONTH, dry_run=True)

    assert everything() == before
    assert not AuditRecord.objects.filter(action=pruning.ACTION).exists()
    wet = prune(dispatcher.chain, older_than=MONTH)
    assert (dry.rows, dry.bytes, dry.kept) == (wet.rows, wet.bytes, wet.kept)


def test_an_intent_is_still_known_and_the_same_key_with_another_call_still_refused(dispatcher, consortium):
    (row, *_others) = settle_old(dispatcher, consortium)
    prune(dispatcher.chain, older_than=MONTH)

    assert add(consortium, "test:0", 1).pk == row.pk
    with pytest.raises(IdempotencyKeyReusedError):
        add(consortium, "test:0", 2)
    with pytest.raises(IdempotencyKeyReusedError):
        add(consortium, "test:0", function="addAfterOthers", arguments=[1])
    dispatcher.dispatch_once()
    assert total(dispatcher) == 6


def test_an_event_still_finds_the_act_that_asked_for_it(dispatcher, consortium):
    rows = settle_old(dispatcher, consortium)
    hashes = list(OutboxTransaction.objects.values_list("transaction_hash", flat=True))
    before = correlation_ids(hashes)

    prune(dispatcher.chain, older_than=MONTH)

    assert correlation_ids(hashes) == before
    assert len(before) == len(rows) + 1


KEPT: dict[str, dict[str, Any]] = {
    "young": {"settled_at": timezone.now() - timedelta(days=29)},
    "failed when it was mined": {"state": "failed"},
    "still under way": {"state": "submitted", "settled_at": None},
    "nobody has heard of it": {"outcome_delivered_at": None},
    "its handler fails": {"outcome_delivered_at": None, "outcome_error": "KeyError: 'x'"},
    "noted in another block": {"block": 1},
    "unknown to the node": {"transaction_hash": "0x" + "77" * 32},
}


@pytest.mark.parametrize("why", KEPT)
def test_what_may_still_be_needed_keeps_its_contents(dispatcher, consortium, why):
    settle_old(dispatcher, consortium)
    OutboxTransaction.objects.filter(idempotency_key="test:1").update(**KEPT[why])
    before = everything()

    report = prune(dispatcher.chain, older_than=MONTH)

    assert report.rows == 3
    assert report.kept == (why in {"noted in another block", "unknown to the node"})
    (kept,) = [row for row in everything().values() if row["contents_dropped_at"] is None]
    assert kept == before[kept["id"]]
    assert kept["idempotency_key"] == "test:1"


def test_a_call_that_its_contract_refused_can_be_looked_into_for_ever(dispatcher, consortium):
    add(consortium, "test:refused", LIMIT + 1)
    settle_old(dispatcher, consortium)

    prune(dispatcher.chain, older_than=MONTH)

    refused = OutboxTransaction.objects.get(idempotency_key="test:refused")
    assert (refused.state, refused.values[0]) == ("failed", LIMIT + 1)


def test_blocks_that_the_projector_has_not_read_are_waited_for(dispatcher, consortium):
    settle_old(dispatcher, consortium)
    ChainCursor.objects.update(position=1)

    report = prune(dispatcher.chain, older_than=MONTH)

    # The creation is in block 1, the calls above it.
    assert (report.rows, report.kept) == (1, 3)
    ChainCursor.objects.all().delete()
    assert prune(dispatcher.chain, older_than=MONTH).rows == 0


def test_the_development_chain_is_refused_since_it_sends_again(relay, consortium, system, handlers, settings):
    chain = fake_chain(chain_id=settings.DEVELOPMENT_CHAIN_ID)
    dispatcher = Dispatcher(chain, relay)
    deploy(dispatcher, consortium)
    settle_old(dispatcher, consortium)
    before = everything()

    with pytest.raises(PruneRefusedError, match="sent again"):
        prune(chain, older_than=MONTH)
    assert everything() == before


@pytest.mark.parametrize("days", [-1, 0, 6])
def test_an_age_below_a_week_is_refused(dispatcher, consortium, days):
    settle_old(dispatcher, consortium)
    before = everything()

    with pytest.raises(InvalidInputError, match="7 days at least"):
        prune(dispatcher.chain, older_than=timedelta(days=days))
    assert everything() == before


def test_a_node_that_is_away_stops_it_and_what_was_dropped_is_on_the_record(dispatcher, consortium, monkeypatch):
    monkeypatch.setattr(pruning, "BATCH", 2)
    settle_old(dispatcher, consortium, 5)
    asked = []
    receipts = dispatcher.chain.receipts

    def once(hashes):
        asked.append(hashes)
        if len(asked) > 1:
            raise ChainUnavailableError("away")
        return receipts(hashes)

    monkeypatch.setattr(dispatcher.chain, "receipts", once)
    with pytest.raises(ChainUnavailableError):
        prune(dispatcher.chain, older_than=MONTH)

    dropped = OutboxTransaction.objects.filter(contents_dropped_at__isnull=False).count()
    recorded = AuditRecord.objects.filter(action=pruning.ACTION)
    assert (dropped, sum(row.body["transactions"] for row in recorded)) == (2, 2)

    monkeypatch.setattr(dispatcher.chain, "receipts", receipts)
    assert prune(dispatcher.chain, older_than=MONTH).rows == 4


def test_each_consortium_reads_in_its_log_what_was_dropped(dispatcher, consortium, world):
    deploy(dispatcher, world.other_consortium.pk)
    settle_old(dispatcher, consortium)
    read_to_the_head(dispatcher, world.other_consortium.pk)

    report = prune(dispatcher.chain, older_than=MONTH)

    records = {row.log.consortium_id: row for row in AuditRecord.objects.filter(action=pruning.ACTION)}
    assert {pk: row.body["transactions"] for pk, row in records.items()} == {
        consortium: 4,
        world.other_consortium.pk: 1,
    }
    assert sum(row.body["bytes"] for row in records.values()) == report.bytes
    assert records[consortium].actor == "pruner"


def test_the_database_takes_no_dropped_contents_of_a_call_that_is_not_confirmed(dispatcher, consortium):
    add(consortium, "test:waiting")
    row = OutboxTransaction.objects.filter(idempotency_key="test:waiting")

    with pytest.raises(IntegrityError), transaction.atomic():
        row.update(contents_dropped_at=timezone.now(), arguments=[], arguments_digest="00" * 32)
    settle_old(dispatcher, consortium, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        OutboxTransaction.objects.filter(idempotency_key="test:0").update(raw=None)


def test_the_command_says_what_it_did_in_words_and_json(dispatcher, consortium, monkeypatch):
    settle_old(dispatcher, consortium)
    monkeypatch.setattr("contracts.management.subcommands.prune.chain_from_settings", lambda: dispatcher.chain)

    def run(*options: str) -> str:
        printed = io.StringIO()
        call_command("chain", "prune", "--older-than-days", "30", *options, stdout=printed)
        return printed.getvalue()

    assert "of 4 calls" in run("--dry-run")
    assert "would be dropped" in run("--dry-run")
    told = json.loads(run("--json"))
    assert (told["rows"], told["is_dry"], told["bytes"] > 0) == (4, False, True)
    with pytest.raises(CommandError, match="7 days at least"):
        call_command("chain", "prune", "--older-than-days", "3")
    with pytest.raises(CommandError, match="no age of so many days"):
        call_command("chain", "prune", "--older-than-days", str(10**12))
