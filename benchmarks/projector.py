"""The projector: events a second from a node's logs into read models, beside plain rows and handlers left out.

One stream, which the chain's order keeps from being shared out: storing and applying are measured alone, in one
process, and then together, by two projectors at once, of which one reads while the other applies; PostgreSQL works
on the same cores. The history is that of `benchmarks._history`: 5 sites, realistic shares of every kind. Counted are
all its events, also those that no handler hears; decoded by their ABI, stored raw, and handled by the handlers that
ship.
"""

import multiprocessing
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from benchmarks._database import database
from benchmarks.harness.figures import FigureDict, figure
from benchmarks.harness.progress import say

if TYPE_CHECKING:
    from contracts.interface import Chain

RUNS, LONG_RUNS, BLOCKS = 24, 72, 40
GOAL = 5_000
WAIT_SECONDS = 60.0
COPIED, BARE = "COPY of the same rows", "the same rows read and marked, no handler"


def run() -> list[FigureDict]:
    """Return the figures."""
    say("starting a database")
    with database():
        from contracts.loops import rarely_collecting

        # As `manage.py project` does.
        with rarely_collecting():
            return measure()


def measure() -> list[FigureDict]:
    """Store, then apply, the history of one consortium; then blocks as a live chain brings them."""
    from benchmarks._history import History, HistoryChain
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
    _require_applied(consortium)
    say("reading and marking them alone")
    marking = _without_handlers(lambda: _seconds(lambda: apply_next(consortium).may_go_on))
    say(f"applying the blocks of {BLOCKS} rounds one by one")
    block, block_bare = _block_ms(consortium), _without_handlers(lambda: _block_ms(consortium))
    together = _by_two(History(LONG_RUNS))
    return [
        _rate("events stored raw, from the node's JSON", count / storing, COPIED, count / copying),
        _rate("stored events applied by their handlers", count / applying, BARE, count / marking, GOAL),
        _rate("replayed by two projectors: decoded, stored, applied", together, COPIED, count / copying, GOAL),
        _rate("the same by one", count / (storing + applying), COPIED, count / copying),
        figure("projector: a round's block of 7 events, applied", block, "ms", beside=BARE, compared_value=block_bare),
    ]


def _by_two(history: Any) -> float:
    """Return events a second, from the node to the read models, of two projectors that begin at the same moment."""
    from django.db import connection

    from contracts.models import ChainCursor

    say(f"two projectors replay {len(history.logs):,} events")
    # The other consortium's history ends where it does.
    ChainCursor.objects.all().delete()
    consortium = found(history)
    connection.close()
    context = multiprocessing.get_context("fork")
    start = context.Barrier(3)
    programs = [context.Process(target=_project, args=(history, consortium, start)) for _ in range(2)]
    for program in programs:
        program.start()
    start.wait(WAIT_SECONDS)
    begin = time.perf_counter()
    for program in programs:
        program.join()
    spent = time.perf_counter() - begin
    _require_applied(consortium)
    return len(history.logs) / spent


def _project(history: Any, consortium: uuid.UUID, start: Any) -> None:
    """What `manage.py project` does, until all is applied."""
    from benchmarks._history import HistoryChain
    from contracts.management.commands.project import LOOK_SECONDS
    from contracts.models import AppliedMark
    from contracts.projector import project_once

    chain = cast("Chain", HistoryChain(history))
    last = int(history.logs[-1]["blockNumber"], 16), int(history.logs[-1]["logIndex"], 16)
    start.wait(WAIT_SECONDS)
    while AppliedMark.objects.get(pk=consortium).place < last:
        if project_once(chain).applied == 0:
            time.sleep(LOOK_SECONDS)


def _require_applied(consortium: uuid.UUID) -> None:
    from contracts.models import AppliedMark, ChainEventRecord

    waiting = ChainEventRecord.objects.waiting(AppliedMark.objects.get(pk=consortium))
    if (first := waiting.first()) is not None:
        raise RuntimeError(f"{first} was not applied: {first.failed_text}")


def found(history: Any) -> uuid.UUID:
    """A consortium with its contracts and a cursor before its first block."""
    from django.db import transaction

    from benchmarks._history import NAMES, contract
    from consortium.membership.models import Consortium, Organization
    from contracts.models import ContractDeployment
    from contracts.reading.streams import start_projection

    place = Consortium.objects.count()
    consortium = Consortium.objects.create(name=f"Bench {place}", slug=f"bench-{place}", chain_id=31_337)
    for number, site in enumerate(history.sites):
        Organization.objects.create(pk=site, name=f"Hospital {number} of {place}", slug=f"h{number}-{place}")
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
    from contracts.models import AppliedMark

    AppliedMark.objects.update(block_number=AppliedMark.NOWHERE, log_index=AppliedMark.NOWHERE)
    kept, projections._HANDLERS = projections._HANDLERS, {}
    try:
        return work()
    finally:
        projections._HANDLERS = kept


def _block_ms(consortium: uuid.UUID) -> float:
    """Return the milliseconds of one block in which a round closes and the next one opens, of the last runs."""
    from contracts.models import AppliedMark, ChainEventRecord
    from contracts.reading.applying import apply_next

    opened = ChainEventRecord.objects.filter(name="RoundOpened").order_by("-block_number")
    numbers = sorted(opened.values_list("block_number", flat=True)[:BLOCKS])
    spent = 0.0
    with _without_later(numbers[0]) as later:
        for number in numbers:
            AppliedMark.objects.update(block_number=number, log_index=AppliedMark.NOWHERE)
            ChainEventRecord.objects.bulk_create(one for one in later if one.block_number == number)
            begin = time.perf_counter()
            apply_next(consortium)
            spent += time.perf_counter() - begin
    return 1e3 * spent / BLOCKS


@contextmanager
def _without_later(number: int) -> Iterator[list[Any]]:
    """Take the events from this block on away, and put back at the end what is not there then."""
    from contracts.models import ChainEventRecord

    later = list(ChainEventRecord.objects.filter(block_number__gte=number))
    ChainEventRecord.objects.filter(block_number__gte=number).delete()
    yield later
    ChainEventRecord.objects.bulk_create(later, ignore_conflicts=True)


def _seconds(step: Callable[[], bool]) -> float:
    """Return the seconds until there is nothing more to do."""
    begin = time.perf_counter()
    while step():
        pass
    return time.perf_counter() - begin


def _rate(name: str, value: float, beside: str, compared_value: float, least: int | None = None) -> FigureDict:
    return figure(f"projector: {name}", value, "events/s", beside=beside, compared_value=compared_value, at_least=least)
