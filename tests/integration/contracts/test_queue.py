"""What waits is found without reading a long queue, whatever the database believes of the table's size."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from contracts.models import OutboxTransaction, RelayAccount
from contracts.sending.lanes import Lane
from contracts.sending.queue import _CONSORTIA, _ROWS, Queue
from contracts.testing import FakeChain

pytestmark = pytest.mark.usefixtures("system", "handlers")

LONG, MOST = 3_000, 10


@pytest.fixture
def lane(chain: FakeChain) -> Lane:
    return Lane(chain, "0xOurs", None, lambda step: None)


@pytest.fixture
def first(world) -> UUID:
    return world.consortium.pk


@pytest.fixture
def second(world) -> UUID:
    return world.other_consortium.pk


def waiting(consortium_id: UUID, number: int, **values: Any) -> list[OutboxTransaction]:
    rows = [
        OutboxTransaction(
            consortium_id=consortium_id,
            contract="Counter",
            function="add",
            idempotency_key=f"test:{values.get('only_sender', '')}:{index}",
            **values,
        )
        for index in range(number)
    ]
    return OutboxTransaction.objects.bulk_create(rows)


def bind_to_another_lane(consortium_id: UUID) -> None:
    RelayAccount.objects.create(address="0xTheirs")
    sent = {"state": "submitted", "sender": "0xTheirs", "nonce": 0, "raw": b"\x02", "transaction_hash": "0x01"}
    OutboxTransaction.objects.create(
        consortium_id=consortium_id, contract="Counter", function="add", idempotency_key="test:sent", **sent
    )


def rows_read(statement: str, parameters: list[Any]) -> int:
    """How many rows of tables and indexes a statement went through."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
        (found,) = cursor.fetchone()
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return sum(
        round(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)))
        for node in nodes(plan)
        if "Scan" in node["Node Type"]
    )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def test_neither_query_reads_more_of_a_long_queue_than_it_is_asked_for(first, second):
    waiting(first, LONG)
    waiting(second, 2)

    assert rows_read(_CONSORTIA, ["0xOurs", [], MOST]) < 10 * MOST
    assert rows_read(_CONSORTIA, ["0xOurs", [first], MOST]) < 10 * MOST
    assert rows_read(_ROWS, [[first, second], "0xOurs", MOST, MOST]) < 10 * MOST


def test_a_long_queue_of_another_lane_is_passed_over(lane, first, second):
    waiting(first, LONG)
    ours = waiting(second, 2)
    bind_to_another_lane(first)

    queue = Queue(lane, among=1)

    assert [row.pk for row in queue.next_rows(MOST)] == [row.pk for row in ours]
    assert first in queue.passed_over


def test_rows_of_several_consortia_come_in_the_order_of_asking(lane, first, second):
    asked = [waiting(first, 2), waiting(second, 3, only_sender=lane.address), waiting(first, 2, only_sender="0xOurs.")]
    later = waiting(first, 1, only_sender=lane.address)

    found = Queue(lane, among=1).next_rows(MOST)

    assert [row.pk for row in found] == [row.pk for row in (*asked[0], *asked[1], *later)]


def test_of_many_rows_only_the_oldest_are_taken(lane, first, second):
    oldest = waiting(first, 4)
    waiting(second, 4)

    assert [row.pk for row in Queue(lane, among=1).next_rows(3)] == [row.pk for row in oldest[:3]]


def test_a_consortium_whose_calls_another_account_alone_may_make_is_none_of_ours(lane, first):
    waiting(first, 3, only_sender="0xTheirs")

    assert Queue(lane, among=1).next_rows(MOST) == []
