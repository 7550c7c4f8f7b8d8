"""Logs, their records and erasable fields, the tree over them, and the checkpoints that fix them."""

from audit.models.checkpoints import Anchor, Checkpoint, Cosignature
from audit.models.logs import AuditLog
from audit.models.records import AuditRecord, PendingRecord, PersonalField
from audit.models.tree import AuditLeaf, TreeNode

__all__ = [
    "Anchor",
    "AuditLeaf",
    "AuditLog",
    "AuditRecord",
    "Checkpoint",
    "Cosignature",
    "PendingRecord",
    "PersonalField",
    "TreeNode",
]
