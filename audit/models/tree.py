"""The Merkle tree of a log (RFC 9162): which record is which leaf, and every complete subtree."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.models.logs import AuditLog
from audit.models.records import AuditRecord


class AuditLeaf(models.Model):
    """The place of one record; indices start at 0 and have no gap."""

    pk = models.CompositePrimaryKey("log_id", "index")
    log = models.ForeignKey(AuditLog, on_delete=models.PROTECT, related_name="leaves", db_index=False)
    index = models.BigIntegerField(_("index"))
    record = models.OneToOneField(AuditRecord, on_delete=models.PROTECT, related_name="leaf")

    class Meta:
        verbose_name = _("leaf")
        verbose_name_plural = _("leaves")

    def __str__(self) -> str:
        return f"leaf {self.index}"


class TreeNode(models.Model):
    """The hash of the complete subtree over leaves `index * 2**level` up to `(index + 1) * 2**level`."""

    pk = models.CompositePrimaryKey("log_id", "level", "index")
    log = models.ForeignKey(AuditLog, on_delete=models.PROTECT, related_name="nodes", db_index=False)
    level = models.SmallIntegerField(_("level"))
    index = models.BigIntegerField(_("index"))
    hash = models.BinaryField(_("hash"), max_length=32)

    class Meta:
        verbose_name = _("tree node")
        verbose_name_plural = _("tree nodes")
        ordering: ClassVar = ["level", "index"]

    def __str__(self) -> str:
        return f"node {self.index} of level {self.level}"
