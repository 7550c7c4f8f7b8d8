"""Events into rows, thousands a second: one statement for many, and one value for the statement."""

import json
from collections.abc import Iterable
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from contracts.events import ChainEvent
from contracts.models import ChainEventRecord
from contracts.values import to_json

# Events in one INSERT: larger ones take more memory and no less time.
STORED_TOGETHER = 1_000
# COPY would be faster still, and PostgreSQL refuses it behind row level security.
_INSERT = """
INSERT INTO {table}
    (id, created_at, consortium_id, name, contract, address, schema, arguments, topics, data, block_number,
     block_hash, block_time, transaction_hash, log_index, transaction_log_index, attempts, failed_text)
SELECT id, %s, %s, name, contract, address, schema, arguments, topics, decode(data, 'hex'), block_number,
       block_hash, block_time, transaction_hash, log_index, transaction_log_index, 0, ''
  FROM jsonb_to_recordset(%s::jsonb) AS given(
       id uuid, name text, contract text, address text, schema text, arguments jsonb, topics jsonb, data text,
       block_number bigint, block_hash text, block_time bigint, transaction_hash text, log_index integer,
       transaction_log_index integer)
ON CONFLICT DO NOTHING
"""


def store(consortium_id: UUID, events: Iterable[ChainEvent]) -> None:
    """Keep events as the chain gave them; those that are stored already stay as they are."""
    given = map(_row, events)
    statement = _INSERT.format(table=ChainEventRecord._meta.db_table)
    while batch := list(islice(given, STORED_TOGETHER)):
        with connection.cursor() as cursor:
            cursor.execute(statement, [timezone.now(), consortium_id, json.dumps(batch)])


def _row(event: ChainEvent) -> dict[str, Any]:
    """The columns of `ChainEventRecord.of`, as JSON has them."""
    return {
        "id": str(uuid4()),
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
    }
