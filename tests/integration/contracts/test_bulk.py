"""Many rows in one statement come out as Django would have written them one by one."""

import uuid
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from consortium.common.bulk import insert_many, update_many
from contracts.events import ChainEvent
from contracts.models import AppliedMark, ChainCursor, ChainEventRecord
from contracts.reading.storing import store

pytestmark = pytest.mark.usefixtures("system")
CONSORTIUM = uuid.uuid4()
NOTHING = (AppliedMark.NOWHERE, AppliedMark.NOWHERE)


def event(number: int) -> ChainEvent:
    arguments = {"text": "ü \" ' \\", "big": 2**255, "struct": {"by": [1, 2], "is": True}, "bytes": b"\x00\xff"}
    hash_ = number.to_bytes(32, "big")
    return ChainEvent(
        "Counted", "Counter", "0x" + "ab" * 20, arguments, number, hash_, 7, hash_, 0, 0, (hash_,), b"\x00\xff", "1"
    )


def columns(row) -> dict[str, object]:
    found = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {name: bytes(v) if isinstance(v, memoryview) else v for name, v in found.items()} | {
        "id": None,
        "created_at": None,
    }


def test_stored_events_are_those_that_a_row_of_its_own_would_hold(system):
    store(CONSORTIUM, map(event, range(3)), applied=NOTHING)
    store(CONSORTIUM, map(event, range(4)), applied=NOTHING)

    assert [row.event for row in ChainEventRecord.objects.all()] == list(map(event, range(4)))
    plain = ChainEventRecord.of(CONSORTIUM, event(9))
    plain.save()
    store(CONSORTIUM, [event(8)], applied=NOTHING)
    stored = ChainEventRecord.objects.get(block_number=8)
    assert columns(stored) | {"block_number": 9} == columns(ChainEventRecord.objects.get(pk=plain.pk)) | {
        name: columns(stored)[name] for name in ("block_hash", "transaction_hash", "arguments", "topics")
    }
    assert stored.created_at is not None


def test_inserted_rows_hold_every_kind_of_value(system):
    rows = [ChainEventRecord.of(CONSORTIUM, event(number)) for number in range(3)]
    rows[1].retry_at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    insert_many(rows)

    assert [columns(row) for row in ChainEventRecord.objects.all()] == [columns(row) for row in rows]
    assert not any(row._state.adding for row in rows)
    insert_many([])


def test_only_the_named_columns_of_the_given_rows_change(system):
    rows = [ChainCursor(pk=uuid.uuid4(), first_block=1, position=1, halted_text="kept") for _ in range(3)]
    insert_many(rows)
    for number, row in enumerate(rows[:2]):
        row.position, row.block_hash, row.read_at, row.halted_text = number, b"\x01\x02", None, "not written"
    update_many(rows[:2], ["position", "block_hash", "read_at"])
    update_many([], ["position"])

    found = [ChainCursor.objects.get(pk=row.pk) for row in rows]
    assert [(row.position, bytes(row.block_hash), row.halted_text) for row in found] == [
        (0, b"\x01\x02", "kept"),
        (1, b"\x01\x02", "kept"),
        (1, b"", "kept"),
    ]


def test_what_the_database_refuses_is_refused_whole(system):
    rows = [ChainEventRecord.of(CONSORTIUM, event(1)) for _ in range(2)]
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_many(rows)
    assert not ChainEventRecord.objects.exists()
