"""`manage.py chain replay`: are the read models what the chain's events say they are?

Every applied event is handled again, by the handlers of today, into a shadow of the read models; then live rows and
shadow are compared. Nothing of it is ever committed. Live rows, events and cursors are those of one moment, the
transaction's snapshot: projector and people work on meanwhile.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from consortium.common.tenancy import act_for_all
from contracts.chain import chain_from_settings
from contracts.events import ChainEvent
from contracts.interface import Chain
from contracts.loops import rarely_collecting
from contracts.models import AppliedMark, ChainCursor, ChainEventRecord, ContractDeployment
from contracts.projections import Heard, handle
from contracts.reading.comparing import Difference, differences
from contracts.reading.read_models import read_models
from contracts.reading.shadow import shadow
from contracts.reading.storing import stored
from contracts.rpc.log_windows import MAX_WINDOW_BLOCKS

TOGETHER = 500


@dataclass(frozen=True)
class Stopped:
    """A stream whose replay ended at an event that no handler took."""

    consortium: str
    event: str
    fault: str

    def __str__(self) -> str:
        return f"consortium {self.consortium}: the replay stops at {self.event}: {self.fault}"


@dataclass
class ReplayReport:
    """What was replayed, and what differs; `equal` where nothing does."""

    events: int = 0
    positions: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        return not self.differences and not self.stopped

    def in_words(self) -> str:
        found = [*map(str, self.stopped), *map(str, self.differences)]
        streams = f"{self.events} events of {len(self.positions)} consortia"
        if self.equal:
            return f"Equal: {streams}, handled again, give the live rows of {len(read_models())} tables."
        return "\n".join([f"DIFFERENT: {streams}, handled again, give other rows than the live ones.", *found])

    def as_json(self) -> str:
        return json.dumps({"equal": self.equal, **asdict(self)}, default=str, indent=2)


def replay(node: Chain | None = None) -> ReplayReport:
    """Handle all applied events again, in a shadow, and compare; as the system's database role.

    Parameters
    ----------
    node : Chain, optional
        Read the events from this node, up to each cursor, and compare the stored ones with them first; without
        it the stored events are taken at their word.

    Raises
    ------
    ReplayUnderWayError
        If another replay is under way.
    ChainError
        If the node fails.
    """
    report = ReplayReport()
    with shadow():
        for cursor in ChainCursor.objects.order_by("pk"):
            report.positions[str(cursor.pk)] = cursor.position
            for events in _stored(cursor) if node is None else _from_node(node, cursor, report):
                if not _handle(cursor.pk, events, report):
                    break
        for one in read_models():
            report.differences += differences(one)
    return report


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `manage.py chain replay`."""
    parser.add_argument(
        "--from-node", action="store_true", help="read the events from CHAIN_RPC_URL and hold the stored ones to them"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(options: Mapping[str, Any]) -> None:
    """Replay and print; exit status 1 where anything differs."""
    with act_for_all(), rarely_collecting():
        report = replay(chain_from_settings() if options["from_node"] else None)
    sys.stdout.write((report.as_json() if options["json"] else report.in_words()) + "\n")
    if not report.equal:
        raise SystemExit(1)


def _handle(consortium_id: UUID, events: Sequence[ChainEvent], report: ReplayReport) -> bool:
    """Handle events together, or up to the one that fails; return False if one does."""
    if _try(consortium_id, events) is None:
        report.events += len(events)
        return True
    for event in events:
        if (fault := _try(consortium_id, [event])) is not None:
            text = f"{type(fault).__name__}: {fault}"
            report.stopped.append(Stopped(str(consortium_id), str(event), text))
            return False
        report.events += 1
    return True


def _try(consortium_id: UUID, events: Sequence[ChainEvent]) -> Exception | None:
    try:
        with transaction.atomic():
            handle(consortium_id, [Heard(event, None) for event in events])
    except Exception as fault:  # noqa: BLE001  whatever a handler raises is what the report tells
        return fault
    return None


def _stored(cursor: ChainCursor) -> Iterator[list[ChainEvent]]:
    applied = ChainEventRecord.objects.applied(AppliedMark.objects.get(pk=cursor.pk))
    last = (cursor.first_block, AppliedMark.NOWHERE)
    while batch := [row.event for row in stored(applied.after(last), TOGETHER)]:
        yield batch
        last = batch[-1].place


def _from_node(node: Chain, cursor: ChainCursor, report: ReplayReport) -> Iterator[list[ChainEvent]]:
    """The node's own events window by window, without those that are not applied here yet."""
    node.check_chain()
    deployments = ContractDeployment.objects.filter(consortium_id=cursor.pk)
    contracts = [deployment.reference for deployment in deployments]
    mark = AppliedMark.objects.get(pk=cursor.pk)
    for first in range(cursor.first_block, cursor.position + 1, MAX_WINDOW_BLOCKS):
        last = min(first + MAX_WINDOW_BLOCKS - 1, cursor.position)
        found = node.logs(contracts, first, last)
        kept = {row.event.key: row for row in _between(cursor, first, last)}
        report.differences += _other_events(found, {key: row.event for key, row in kept.items()})
        waiting = {key for key, row in kept.items() if row.is_late or row.place > mark.place}
        yield [event for event in found if event.key not in waiting]


def _between(cursor: ChainCursor, first: int, last: int) -> QuerySet[ChainEventRecord]:
    return ChainEventRecord.objects.filter(consortium_id=cursor.pk, block_number__range=(first, last))


def _other_events(found: Sequence[ChainEvent], kept: Mapping[str, ChainEvent]) -> Iterator[Difference]:
    table = ChainEventRecord._meta.db_table
    known = {event.key: event for event in found}
    for key in sorted({*known, *kept}):
        transaction_hash, _, index = key.partition(":")
        name = {"transaction_hash": transaction_hash, "transaction_log_index": int(index)}
        if key not in kept:
            yield Difference(table, name, "missing")
        elif key not in known:
            yield Difference(table, name, "surplus")
        elif columns := _other_columns(kept[key], known[key]):
            yield Difference(table, name, "changed", columns)


def _other_columns(ours: ChainEvent, theirs: ChainEvent) -> dict[str, tuple[Any, Any]]:
    names = ("name", "contract", "arguments", "block_number", "block_hash", "log_index", "topics", "data")
    return {name: (a, b) for name in names if (a := getattr(ours, name)) != (b := getattr(theirs, name))}
