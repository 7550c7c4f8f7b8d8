"""Re-derive a whole log from its records, and name what contradicts them, the first record first."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from uuid import UUID

from django.db import transaction

from audit.log.anchors import AnchoredRoot
from audit.log.checks.checkpoints import check_anchors, check_checkpoints, check_cosignatures
from audit.log.checks.findings import Finding, Report
from audit.log.checks.records import check_queue, check_records
from audit.log.checks.tree import check_nodes, check_surplus, leaf_of, stored_nodes
from audit.log.frontier import Frontier
from audit.log.nodes import log_size
from audit.models import AuditLeaf, AuditLog, Checkpoint
from consortium.common.tenancy import act_for_all
from consortium.kernel.eip712 import Domain
from consortium.kernel.merkle import leaf_hash
from consortium.kernel.notes import NoteKey

# Leaves in memory at a time.
BATCH = 2_000
NO_DOMAINS: Mapping[UUID, Domain] = MappingProxyType({})


@transaction.atomic
def fsck(
    log: AuditLog,
    *,
    key: NoteKey,
    anchored: Iterable[AnchoredRoot] = (),
    domains: Mapping[UUID, Domain] = NO_DOMAINS,
) -> Report:
    """Check every record, leaf, node, root, checkpoint and co-signature of a log, and what the chain holds of it.

    Parameters
    ----------
    key : NoteKey
        The log's public key, best from a trust file rather than from the deployment that is checked.
    anchored : iterable of AnchoredRoot
        What the chain holds, best read from a node of one's own.
    domains : mapping from consortium to Domain
        The EIP-712 domain of each consortium's `AuditAnchor`; without one its co-signatures are not checked.
    """
    with act_for_all():
        walk = _Walk(log, Report(log.origin, leaves=log_size(log)))
        checkpoints = list(Checkpoint.objects.filter(log=log).order_by("size").prefetch_related("cosignatures"))
        anchors = list(anchored)
        walk.run({row.size for row in checkpoints} | {anchor.size for anchor in anchors})
        report = walk.report
        report.checkpoints, report.anchors = len(checkpoints), len(anchors)
        report.findings += [
            *check_surplus(log),
            *check_queue(log),
            *check_checkpoints(log, checkpoints, walk.roots, report.leaves, key),
            *check_cosignatures(checkpoints, domains),
            *check_anchors(anchors, walk.roots, report.leaves),
        ]
        return report


class _Walk:
    """One pass over the leaves in order: checks records and nodes, and keeps the roots that are asked for."""

    def __init__(self, log: AuditLog, report: Report) -> None:
        self.log = log
        self.report = report
        self.roots: dict[int, bytes] = {}
        self._frontier = Frontier()

    def run(self, sizes: set[int]) -> None:
        for begin in range(0, self.report.leaves, BATCH):
            end = min(begin + BATCH, self.report.leaves)
            if not self._batch(begin, end, sizes):
                return

    def _batch(self, begin: int, end: int, sizes: set[int]) -> bool:
        """Walk some leaves; False where the tree cannot be derived any further."""
        rows = AuditLeaf.objects.filter(log=self.log, index__gte=begin, index__lt=end).select_related("record")
        leaves = {leaf.index: leaf for leaf in rows}
        self.report.findings += check_records(self.log, leaves.values())
        stored = stored_nodes(self.log, begin, end)
        expected: dict[tuple[int, int], bytes] = {}
        for index in range(begin, end):
            leaf = self._leaf(index, leaves.get(index), stored)
            if leaf is None:
                return False
            expected |= {(node.level, node.index): node.hash for node in self._frontier.append(leaf)}
            if self._frontier.size in sizes:
                self.roots[self._frontier.size] = self._frontier.root()
        self.report.findings += check_nodes(expected, stored)
        return True

    def _leaf(self, index: int, row: AuditLeaf | None, stored: Mapping[tuple[int, int], bytes]) -> bytes | None:
        """Return the leaf hash to go on with, and note where the record does not make it."""
        derived = None if row is None else leaf_hash(bytes(row.record.canonical))
        leaf = leaf_of(stored, index, derived)
        if row is None:
            self.report.findings.append(Finding("record_missing", f"Leaf {index} or its record is missing.", index))
        elif leaf != derived:
            text = f"Record {row.record_id} does not make the hash of leaf {index}: it was altered or exchanged."
            self.report.findings.append(Finding("leaf_altered", text, index, row.record_id))
        return leaf
