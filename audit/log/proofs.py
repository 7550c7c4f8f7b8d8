"""Proofs that a record lies in the log, and that the log only grew; O(log n) stored nodes, one query."""

from dataclasses import dataclass
from typing import Any

from audit.log.errors import NotIntegratedError
from audit.log.nodes import with_nodes
from audit.models import AuditLeaf, AuditLog, AuditRecord, Checkpoint
from consortium.kernel import merkle
from consortium.kernel.merkle_proofs import verify_inclusion


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That `leaf` (the hash of the record's canonical bytes) lies at `index` under a signed checkpoint."""

    origin: str
    index: int
    size: int
    leaf: bytes
    path: tuple[bytes, ...]
    root: bytes
    checkpoint: str

    def verify(self) -> None:
        """Return if the path leads to the root; `InvalidProofError` if it does not."""
        verify_inclusion(leaf=self.leaf, index=self.index, size=self.size, path=self.path, root=self.root)

    def as_json(self) -> dict[str, Any]:
        """Return the proof for an answer or a bundle; hashes in lower-case hexadecimal."""
        return {
            "origin": self.origin,
            "index": self.index,
            "size": self.size,
            "leaf": self.leaf.hex(),
            "path": [value.hex() for value in self.path],
            "root": self.root.hex(),
            "checkpoint": self.checkpoint,
        }


def prove_inclusion(record: AuditRecord, *, checkpoint: Checkpoint | None = None) -> InclusionProof:
    """Prove a record under a checkpoint, the log's last one by default.

    Raises
    ------
    NotIntegratedError
        If the record has no leaf under that checkpoint yet.
    LogDamagedError
        If nodes are missing.
    """
    leaf = AuditLeaf.objects.filter(record=record).first()
    under = checkpoint or Checkpoint.objects.filter(log_id=record.log_id).order_by("-size").first()
    if leaf is None or under is None or under.log_id != record.log_id or under.size <= leaf.index:
        raise NotIntegratedError("The record lies under no such checkpoint yet. Ask again shortly.")
    path = with_nodes(record.log, lambda nodes: merkle.inclusion_path(leaf.index, under.size, nodes))
    return InclusionProof(
        origin=record.log.origin,
        index=leaf.index,
        size=under.size,
        leaf=merkle.leaf_hash(bytes(record.canonical)),
        path=tuple(path),
        root=bytes(under.root),
        checkpoint=under.note,
    )


def prove_consistency(log: AuditLog, first: int, second: int) -> list[bytes]:
    """Prove that the log of `second` leaves extends that of `first`; both lie within the present size."""
    return with_nodes(log, lambda nodes: merkle.consistency_proof(first, second, nodes))


def root_at(log: AuditLog, size: int) -> bytes:
    """Return the root of the first `size` leaves, from stored nodes."""
    return with_nodes(log, lambda nodes: merkle.root_of(size, nodes))
