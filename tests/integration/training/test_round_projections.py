"""Rounds, projected one by one or many at a time: the same rows, the same records, in few questions."""

from typing import Any, cast

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditRecord
from benchmarks._history import ROUNDS, History, HistoryChain
from benchmarks.projector import found
from consortium.common.models import TransactionState
from contracts.interface import Chain
from contracts.models import ChainEventRecord, OutboxTransaction
from contracts.reading import applying
from contracts.reading.applying import Applied, apply_next
from contracts.reading.streams import read_window
from tests.factories.streams import all_applied
from training.models import Attempt, Round, Run, SitePart

CLOCKS = {"id", "created_at", "announced_at", "opened_at", "closed_at", "ended_at", "run_id", "round_id", "attempt_id"}


@pytest.fixture(autouse=True)
def system(as_system):
    with as_system():
        yield


@pytest.fixture
def history() -> History:
    return History(1)


def stored(history: History) -> Any:
    consortium = found(history)
    assert read_window(cast("Chain", HistoryChain(history)), consortium) is False
    return consortium


def apply_all(consortium: Any) -> None:
    while apply_next(consortium).may_go_on:
        pass
    assert all_applied()


def told() -> list[tuple[str, Any]]:
    """The records by action and data, without ids that are made here."""
    return sorted((row.action, str(row.body)) for row in AuditRecord.objects.all() if "proposal" not in row.body)


def rows() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for model in (Run, Round, Attempt, SitePart):
        manager: Any = model.objects
        plain = [{k: v for k, v in row.items() if k not in CLOCKS} for row in manager.values()]
        found[model.__name__] = sorted(str(sorted(row.items())) for row in plain)
    return found


def test_one_by_one_and_all_together_make_the_same_rows_and_records(history, monkeypatch, django_db_blocker):
    from django.db import transaction

    made = []
    for chunk in (1, 7, 500):
        with transaction.atomic():
            monkeypatch.setattr(applying, "CHUNK_EVENTS", chunk)
            consortium = stored(history)
            apply_all(consortium)
            assert Round.objects.filter(closed_block__isnull=False).count() == ROUNDS
            made.append(str((told(), rows())).replace(str(consortium), "CONSORTIUM"))
            transaction.set_rollback(True)
    assert made[0] == made[1] == made[2]


def test_a_rounds_block_takes_few_questions_and_its_records_follow_its_act(history):
    consortium = stored(history)
    opened = ChainEventRecord.objects.filter(name="RoundOpened").order_by("block_number")[1].block_number
    ChainEventRecord.objects.filter(block_number__gt=opened).delete()
    block = ChainEventRecord.objects.filter(block_number=opened)
    later = list(block)
    block.delete()
    apply_all(consortium)
    ChainEventRecord.objects.bulk_create(later)
    asked = OutboxTransaction.objects.create(
        **{"consortium_id": consortium, "contract": "TrainingLedger", "function": "advanceRound", "arguments": []},
        **{"idempotency_key": "test:1", "correlation_id": "0" * 36, "state": TransactionState.RECORDED},
        transaction_hash=later[0].transaction_hash,
    )

    with CaptureQueriesContext(connection) as questions:
        assert apply_next(consortium) == Applied(len(later))

    # One by one, these seven events took more than eighty.
    assert len(questions) <= 22
    acts = AuditRecord.objects.filter(correlation_id=asked.correlation_id).values_list("action", flat=True)
    assert list(acts.order_by("recorded_at")) == ["training.round.close", "training.round.open"]
