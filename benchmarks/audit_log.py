"""The audit log: records appended a second beside raw inserts of the same bytes, integration, proofs.

It starts a PostgreSQL of its own, so that nothing else on the machine is written to.
"""

import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks._database import database
from benchmarks.harness.figures import FigureDict, figure
from benchmarks.harness.progress import say

if TYPE_CHECKING:
    from audit.models import AuditLog

RAW, MEMORY = "raw INSERT of the same bytes", "the same tree in memory, no database"
# Goals, a second: a round of 64 sites with three acts each; 10,000 records in five seconds; a page of proofs.
APPENDED, INTEGRATED, PROVEN = 200, 2_000, 100
SINGLE, BULK, PER_TRANSACTION, PROOFS = 1_000, 10_000, 100, 200


def run() -> list[FigureDict]:
    """Return the figures."""
    say("starting a database")
    with database():
        return measure()


def measure() -> list[FigureDict]:
    """Append, integrate and prove; each figure beside what it is compared to in the same run."""
    from django.db import transaction

    from audit.log.keys import create_key, key_path
    from audit.models import AuditLog, AuditRecord

    create_key(key_path())
    consortium = uuid.uuid4()
    with transaction.atomic():
        log = AuditLog.objects.of(consortium_id=consortium)
    say(f"appending {SINGLE:,} records one by one, then {BULK:,} in transactions of {PER_TRANSACTION}")
    single = _rate(SINGLE, 1, lambda number: _append(consortium, number))
    bulk = _rate(BULK, PER_TRANSACTION, lambda number: _append(consortium, number))
    rows = [(key, bytes(canonical)) for key, canonical in AuditRecord.objects.values_list("id", "canonical")]
    say("inserting the same bytes without a log")
    raw_single, raw_bulk = _raw_inserts(rows)
    return [
        _figure("append, one record a transaction", single, "records/s", RAW, raw_single, APPENDED),
        _figure("append, 100 records a transaction", bulk, "records/s", RAW, raw_bulk, APPENDED),
        *_tree_figures(log, [canonical for _, canonical in rows]),
    ]


def _raw_inserts(rows: list[tuple[uuid.UUID, bytes]]) -> tuple[float, float]:
    """Return plain inserts a second: one a transaction, and many."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET ROLE consilium_owner")
        cursor.execute("CREATE TABLE bench_raw (id uuid PRIMARY KEY, canonical bytea NOT NULL)")

        def insert(number: int) -> None:
            cursor.execute("INSERT INTO bench_raw VALUES (%s, %s)", [*rows[number]])

        single = _rate(SINGLE, 1, insert)
        cursor.execute("TRUNCATE bench_raw")
        bulk = _rate(BULK, PER_TRANSACTION, insert)
        cursor.execute("SET ROLE consilium_system")
    return single, bulk


def _tree_figures(log: "AuditLog", records: list[bytes]) -> list[FigureDict]:
    from audit.log.checkpoints import sign_checkpoint
    from audit.log.integration import integrate
    from audit.log.proofs import prove_inclusion
    from audit.models import AuditRecord
    from consortium.kernel.merkle import MemoryTree

    say(f"integrating {len(records):,} records")
    integrated, integration = _timed(lambda: integrate(log))
    tree, hashing = _timed(lambda: MemoryTree(records))
    sign_checkpoint(log)
    proven = list(AuditRecord.objects.select_related("log")[:PROOFS])

    def prove() -> None:
        for record in proven:
            prove_inclusion(record).verify()

    _, proving = _timed(prove)
    _, in_memory = _timed(lambda: [tree.inclusion_path(index) for index in range(PROOFS)])
    return [
        _figure("integration", integrated / integration, "records/s", MEMORY, len(records) / hashing, INTEGRATED),
        _figure("inclusion proof, made and verified", PROOFS / proving, "proofs/s", MEMORY, PROOFS / in_memory, PROVEN),
    ]


def _append(consortium: uuid.UUID, number: int) -> None:
    from audit.acts import Actor, Subject
    from audit.recorder import record

    record(
        action="training.lease.take",
        organization_id=None,
        consortium_id=consortium,
        actor=Actor.system("coordinator"),
        subject=Subject("run", str(uuid.UUID(int=1))),
        data={"fence": number},
    )


def _rate(count: int, per_transaction: int, act: Callable[[int], None]) -> float:
    """Return acts a second, committed every `per_transaction` of them."""
    from django.db import transaction

    begin = time.perf_counter()
    for first in range(0, count, per_transaction):
        with transaction.atomic():
            for number in range(first, first + per_transaction):
                act(number)
    return count / (time.perf_counter() - begin)


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begin = time.perf_counter()
    return work(), time.perf_counter() - begin


def _figure(name: str, value: float, unit: str, beside: str, compared_value: float, least: int) -> FigureDict:
    return figure(f"audit log: {name}", value, unit, beside=beside, compared_value=compared_value, at_least=least)
