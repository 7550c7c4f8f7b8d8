"""Logs, their records and erasable fields, the tree over them, the checkpoints that fix them, and bundles of it all."""

from audit.models.bundles import Bundle
from audit.models.checkpoints import Anchor, Checkpoint, Cosignature
from audit.models.logs import AuditLog
from audit.models.records import AuditRecord, PendingRecord, PersonalField, RecordKey
from audit.models.tree import AuditLeaf, TreeNode
from audit.models.witnessing import WitnessRule

__all__ = [
    "Anchor",
    "AuditLeaf",
    "AuditLog",
    "AuditRecord",
    "Bundle",
    "Checkpoint",
    "Cosignature",
    "PendingRecord",
    "PersonalField",
    "RecordKey",
    "TreeNode",
    "WitnessRule",
]
