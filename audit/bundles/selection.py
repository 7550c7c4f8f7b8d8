"""What goes into a bundle: the log's records, and the checkpoints that stand on the chain, held to one another.

A bundle that a stranger would refuse is never made: the log is re-derived from its records here first.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from audit.bundles.errors import EvidenceContradictionError, LogTooLargeError, NothingToExportError
from audit.log.anchors import CONTRACT, EVENT
from audit.log.checkpoints import latest_checkpoint
from audit.log.frontier import Frontier
from audit.models import AuditLeaf, AuditLog, Checkpoint, Cosignature
from consortium.kernel.identifiers import bytes32_to_uuid, to_hex
from consortium.kernel.merkle import leaf_hash
from contracts.events import ChainEvent
from contracts.models import ChainCursor, ChainEventRecord

# About 40 MB of proofs; a larger log needs bundles of parts of it.
MAX_RECORDS = 50_000


@dataclass(frozen=True, slots=True)
class Anchored:
    """A checkpoint that the chain took: its event, and the witnesses' signatures in the event's order."""

    checkpoint: Checkpoint
    event: ChainEvent
    witnesses: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """One log up to one checkpoint. `lines` are the records' canonical bytes in the order of their leaves."""

    log: AuditLog
    lines: tuple[bytes, ...]
    checkpoints: tuple[Checkpoint, ...]
    anchors: tuple[Anchored, ...]

    @property
    def last(self) -> Checkpoint:
        """The checkpoint under which every record is proven."""
        return self.checkpoints[-1]

    def records(self) -> list[dict[str, Any]]:
        """Return the records as JSON values."""
        return [json.loads(line) for line in self.lines]


def log_of(consortium_id: UUID) -> AuditLog:
    """Return the consortium's log; `NothingToExportError` if nothing was ever recorded in it."""
    log = AuditLog.objects.filter(consortium_id=consortium_id).first()
    if log is None:
        raise NothingToExportError("Nothing is recorded in this consortium's log yet.")
    return log


def newest_checkpoint(log: AuditLog) -> Checkpoint:
    """Return the checkpoint to export up to, the last that was signed; `NothingToExportError` before the first."""
    newest = latest_checkpoint(log)
    if newest is None:
        raise NothingToExportError("The log has no checkpoint yet. It is signed every few seconds: ask again.")
    return newest


def last_block_read(consortium_id: UUID) -> int:
    """Return the block up to which the chain's events are stored; 0 where none were read."""
    cursor = ChainCursor.objects.filter(pk=consortium_id).first()
    return 0 if cursor is None else max(0, cursor.position)


def select(log: AuditLog, *, last: Checkpoint, through_block: int) -> Selection:
    """Read the log up to a checkpoint, with what the chain took of it up to a block.

    Raises
    ------
    LogTooLargeError
        If it holds more than `MAX_RECORDS`.
    EvidenceContradictionError
        If records, checkpoints and chain do not belong together.
    """
    if last.size > MAX_RECORDS:
        raise LogTooLargeError(f"The log holds {last.size} records; one bundle holds at most {MAX_RECORDS}.")
    anchors = _anchors(log, last, through_block)
    sizes = {anchor.checkpoint.size: anchor.checkpoint for anchor in anchors} | {last.size: last}
    checkpoints = tuple(sizes[size] for size in sorted(sizes))
    lines = _lines(log, last.size)
    _require_roots(lines, checkpoints)
    return Selection(log, lines, checkpoints, anchors)


def _lines(log: AuditLog, size: int) -> tuple[bytes, ...]:
    leaves = AuditLeaf.objects.filter(log=log, index__lt=size).order_by("index")
    rows = list(leaves.values_list("index", "record__canonical"))
    if [index for index, _ in rows] != list(range(size)):
        raise EvidenceContradictionError("The log lacks leaves below its checkpoint. Run `manage.py auditlog fsck`.")
    return tuple(bytes(canonical) for _, canonical in rows)


def _require_roots(lines: Sequence[bytes], checkpoints: Sequence[Checkpoint]) -> None:
    roots = {checkpoint.size: bytes(checkpoint.root) for checkpoint in checkpoints}
    tree = Frontier()
    for line in lines:
        tree.append(leaf_hash(line))
        if tree.size in roots and tree.root() != roots[tree.size]:
            raise EvidenceContradictionError(
                f"The first {tree.size} records do not lead to the root that was signed of them. "
                "Run `manage.py auditlog fsck`; nothing is exported until then."
            )


def _anchors(log: AuditLog, last: Checkpoint, through_block: int) -> tuple[Anchored, ...]:
    named: dict[str, Any] = {"consortium_id": log.consortium_id, "contract": CONTRACT, "name": EVENT}
    ours = ChainEventRecord.objects.filter(**named, arguments__log__bytes=to_hex(log.name_on_chain))
    stored = ours.filter(block_number__lte=through_block)
    events = [row.event for row in stored.order_by("block_number", "log_index")]
    known = {checkpoint.size: checkpoint for checkpoint in Checkpoint.objects.filter(log=log, size__lte=last.size)}
    return tuple(_anchored(event, known) for event in events if event.arguments["size"] <= last.size)


def _anchored(event: ChainEvent, known: dict[int, Checkpoint]) -> Anchored:
    checkpoint = known.get(event.arguments["size"])
    if checkpoint is None or bytes(checkpoint.root) != event.arguments["root"]:
        raise EvidenceContradictionError(
            f"The chain holds another root of {event.arguments['size']} records than this log. "
            "Run `manage.py auditlog fsck`; nothing is exported until then."
        )
    witnesses = tuple(bytes(organization) for organization in event.arguments["witnesses"])
    signatures = _signatures(checkpoint)
    if missing := [to_hex(organization) for organization in witnesses if organization not in signatures]:
        raise EvidenceContradictionError(f"The signatures of the witnesses {', '.join(missing)} are not here.")
    return Anchored(checkpoint, event, tuple((name, signatures[name]) for name in witnesses))


def _signatures(checkpoint: Checkpoint) -> dict[bytes, bytes]:
    rows = Cosignature.objects.filter(checkpoint=checkpoint)
    return {row.organization_id.bytes + bytes(16): bytes(row.signature) for row in rows}


def witness_ids(anchor: Anchored) -> tuple[str, ...]:
    """Return the organizations that witnessed an anchor."""
    return tuple(str(bytes32_to_uuid(organization)) for organization, _ in anchor.witnesses)
