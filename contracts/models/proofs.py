"""Proofs of the blocks that evidence speaks of, kept because pruned nodes cannot give them later."""

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel


class BlockProof(UuidModel):
    """What one block showed when it was seen; without `captured_at` no node has given it yet.

    No handler writes it, so a replay leaves it alone: it is what nodes answered, and not what events say.
    """

    consortium_id = models.UUIDField(_("consortium"))
    block_number = models.PositiveBigIntegerField(_("block"))
    # Of `written_header`, seals included.
    header = models.JSONField(_("header"), default=dict)
    # Nodes of the proof of the validators' digest, hex from the root down; empty where no genesis holds the list.
    account_nodes = models.JSONField(_("proof of the account"), default=list)
    digest_nodes = models.JSONField(_("proof of the digest"), default=list)
    # In force from the next block on: ascending addresses in lower case.
    validators = models.JSONField(_("validators"), default=list)
    # Of transactions whose events bundles prove: {"transaction_hash", "index", "nodes"}.
    receipts = models.JSONField(_("proofs of receipts"), default=list)
    captured_at = models.DateTimeField(_("captured"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("failed attempts"), default=0)
    retry_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    missing_text = models.TextField(_("why it is missing"), blank=True, default="")

    class Meta:
        verbose_name = _("block's proof")
        verbose_name_plural = _("blocks' proofs")
        ordering = ["block_number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consortium_id", "block_number"], name="proof_once_a_block"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["consortium_id", "block_number"],
                condition=models.Q(captured_at__isnull=True),
                name="proofs_to_capture",
            ),
        ]

    def __str__(self) -> str:
        return f"block {self.block_number} of consortium {self.consortium_id}"

    def receipt_of(self, transaction_hash: str) -> dict[str, Any] | None:
        """The proof of one transaction's receipt, if it is there."""
        return next((row for row in self.receipts if row["transaction_hash"] == transaction_hash), None)
