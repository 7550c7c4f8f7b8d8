"""Events into rows and back, thousands a second: one statement for many, and one value for the statement."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import orjson
from django.db import connection, transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from consortium.common.bulk import execute_bound, json_text
from contracts.events import ChainEvent
from contracts.models import ChainEventRecord
from contracts.models.projection import SAID, event_of
from contracts.values import to_json

# Events in one INSERT: larger ones take more memory and no less time.
STORED_TOGETHER = 1_000
# COPY would be faster still, and PostgreSQL refuses it behind row level security.
_INSERT = """
INSERT INTO {table}
    (id, created_at, consortium_id, name, contract, address, schema, arguments, topics, data, block_number,
     block_hash, block_time, transaction_hash, log_index, transaction_log_index, is_late, attempts, failed_text)
SELECT id, $1, $2, name, contract, address, schema, arguments, topics, decode(data, 'hex'), block_number,
       block_hash, block_time, transaction_hash, log_index, transaction_log_index, is_late, 0, ''
  FROM json_to_recordset($3) AS given(
       id uuid, name text, contract text, address text, schema text, arguments jsonb, topics jsonb, data text,
       block_number bigint, block_hash text, block_time bigint, transaction_hash text, log_index integer,
       transaction_log_index integer, is_late boolean)
ON CONFLICT DO NOTHING
"""


class Stored(NamedTuple):
    """One stored event as its handlers get it: without topics and data, which only evidence needs."""

    pk: UUID
    attempts: int
    retry_at: datetime | None
    event: ChainEvent


def store(consortium_id: UUID, events: Iterable[ChainEvent], *, applied: tuple[int, int]) -> None:
    """Keep events as the chain gave them; those that are stored already stay as they are.

    `applied` is the place up to which the stream's events were applied: new ones up to there are marked as late.
    """
    given = (_row(event, is_late=event.place <= applied) for event in events)
    statement = _INSERT.format(table=ChainEventRecord._meta.db_table)
    while batch := list(islice(given, STORED_TOGETHER)):
        execute_bound(statement, [timezone.now(), consortium_id, json_text(batch)])


def stored(rows: QuerySet[ChainEventRecord], limit: int) -> list[Stored]:
    """Read the first of these events, in the chain's order."""
    arguments = Cast("arguments", TextField())
    ordered = rows.order_by("block_number", "log_index").values_list("pk", "attempts", "retry_at", arguments, *SAID)
    with _along_the_index():
        found = list(ordered[:limit])
    return [
        Stored(pk, attempts, retry_at, event_of(orjson.loads(text), *said))
        for pk, attempts, retry_at, text, *said in found
    ]


@contextmanager
def _along_the_index() -> Iterator[None]:
    """Keep PostgreSQL from sorting all that waits to find what comes first.

    Of a table that was just filled it knows no numbers: it takes a long history for some rows, and a sort of them for
    cheap, at each chunk again.
    """
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        yield
        cursor.execute("SET LOCAL enable_bitmapscan = on")


def _row(event: ChainEvent, *, is_late: bool) -> dict[str, Any]:
    """The columns of `ChainEventRecord.of`, as JSON has them."""
    return {
        "id": uuid4(),
        "name": event.name,
        "contract": event.contract,
        "address": event.address,
        "schema": event.schema,
        "arguments": {name: to_json(value) for name, value in event.arguments.items()},
        "topics": ["0x" + topic.hex() for topic in event.topics],
        "data": event.data.hex(),
        "block_number": event.block_number,
        "block_hash": "0x" + event.block_hash.hex(),
        "block_time": event.block_time,
        "transaction_hash": "0x" + event.transaction_hash.hex(),
        "log_index": event.log_index,
        "transaction_log_index": event.transaction_log_index,
        "is_late": is_late,
    }
