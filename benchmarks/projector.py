"""The projector: events a second from a node's logs into read models, beside plain rows and handlers left out.

One process, one stream, which the chain's order keeps from being shared out; PostgreSQL has the other core. The
history is that of `benchmarks._history`: 5 sites, realistic shares of every kind. Counted are all its events, also
those that no handler hears; decoded by their ABI, stored raw, and handled by the handlers that ship.
"""

import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from benchmarks._database import database
from benchmarks.harness.figures import FigureDict, figure
from benchmarks.harness.progress import say

if TYPE_CHECKING:
    from contracts.interface import Chain

RUNS, BLOCKS = 24, 40
GOAL = 5_000
COPIED, BARE = "COPY of the same rows", "the same rows read and marked, no handler"


def run() -> list[FigureDict]:
    """Return the figures."""
    say("starting a database")
    with database():
        return measure()


def measure() -> list[FigureDict]:
    """Store, then apply, the history of one consortium; then blocks as a live chain brings them."""
    from benchmarks._history import History, HistoryChain
    from contracts.models import ChainEventRecord
    from contracts.reading.applying import apply_next
    from contracts.reading.streams import read_window

    history = History(RUNS)
    count = len(history.logs)
    say(f"storing {count:,} events of {history.block:,} blocks")
    chain, consortium = cast("Chain", HistoryChain(history)), found(history)
    storing = _seconds(lambda: read_window(chain, consortium))
    copying = _copy_seconds()
    say("applying them")
    applying = _seconds(lambda: apply_next(consortium).may_go_on)
    if (waiting := ChainEventRecord.objects.filter(applied_at__isnull=True).first()) is not None:
        raise RuntimeError(f"{waiting} was not applied: {waiting.failed_text}")
    say("marking them alone")
    marking = _without_handlers(lambda: _seconds(lambda: apply_next(consortium).may_go_on))
    say(f"applying the blocks of {BLOCKS} rounds one by one")
    block, block_bare = _block_ms(consortium), _without_handlers(lambda: _block_ms(consortium))
    return [
        _rate("events stored raw, from the node's JSON", count / storing, COPIED, count / copying),
        _rate("stored events applied by their handlers", count / applying, BARE, count / marking, GOAL),
        _rate("events replayed: decoded, stored, applied", count / (storing + applying), COPIED, count / copying, GOAL),
        figure("projector: a round's block of 7 events, applied", block, "ms", beside=BARE, compared_value=block_bare),
    ]


def found(history: Any) -> uuid.UUID:
    """A consortium with its contracts and a cursor before its first block."""
    from django.db import transaction

    from benchmarks._history import NAMES, contract
    from consortium.membership.models import Consortium, Organization
    from contracts.models import ContractDeployment
    from contracts.reading.streams import start_projection

    consortium = Consortium.objects.create(name="Bench", slug="bench", chain_id=31_337)
    for number, site in enumerate(history.sites):
        Organization.objects.create(pk=site, name=f"Hospital {number}", slug=f"h{number}")
    for name in NAMES:
        address = contract(name).address
        ContractDeployment.objects.create(consortium_id=consortium.pk, name=name, address=address, block=1)
    with transaction.atomic():
        start_projection(consortium.pk)
    return consortium.pk


def _copy_seconds() -> float:
    """Write the stored rows into a table without keys, as fast as PostgreSQL takes them."""
    from django.db import connection

    from contracts.models import ChainEventRecord

    table = ChainEventRecord._meta.db_table
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {table} TO STDOUT") as reading:
            rows = b"".join(bytes(part) for part in reading)
        cursor.execute("SET ROLE consilium_owner")
        cursor.execute(f"CREATE TABLE bench_copy (LIKE {table})")
        begin = time.perf_counter()
        with cursor.copy("COPY bench_copy FROM STDIN") as writing:
            writing.write(rows)
        spent = time.perf_counter() - begin
        cursor.execute("SET ROLE consilium_system")
    return spent


def _without_handlers(work: Callable[[], float]) -> float:
    """Do the work again, on the same events, with nobody listening."""
    from contracts import projections
    from contracts.models import ChainEventRecord

    ChainEventRecord.objects.update(applied_at=None)
    kept, projections._HANDLERS = projections._HANDLERS, {}
    try:
        return work()
    finally:
        projections._HANDLERS = kept


def _block_ms(consortium: uuid.UUID) -> float:
    """Return the milliseconds of one block in which a round closes and the next one opens, of the last run."""
    from contracts.models import ChainEventRecord
    from contracts.reading.applying import apply_next

    ChainEventRecord.objects.update(applied_at="2026-01-01T00:00:00Z")
    opened = ChainEventRecord.objects.filter(name="RoundOpened").order_by("-block_number")
    spent = 0.0
    for number in reversed(opened.values_list("block_number", flat=True)[:BLOCKS]):
        ChainEventRecord.objects.filter(block_number=number).update(applied_at=None)
        begin = time.perf_counter()
        apply_next(consortium)
        spent += time.perf_counter() - begin
    return 1e3 * spent / BLOCKS


def _seconds(step: Callable[[], bool]) -> float:
    """Return the seconds until there is nothing more to do."""
    begin = time.perf_counter()
    while step():
        pass
    return time.perf_counter() - begin


def _rate(name: str, value: float, beside: str, compared_value: float, least: int | None = None) -> FigureDict:
    return figure(f"projector: {name}", value, "events/s", beside=beside, compared_value=compared_value, at_least=least)
