"""Checkpoints: what a log's state was, who co-signed it, and where on the chain it stands."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.models.logs import AuditLog, name_on_chain
from consortium.common.models import ChainBacked, UuidModel


class Checkpoint(UuidModel):
    """A signed statement of size and root; never changed.

    It carries the consistency proof from its predecessor, so that a witness follows a log it cannot read.
    """

    log = models.ForeignKey(AuditLog, on_delete=models.PROTECT, related_name="checkpoints")
    # Whose members witness it and whose chain anchors it: the log's own consortium, or one that its organization is in.
    consortium_id = models.UUIDField(_("consortium"), null=True)
    size = models.BigIntegerField(_("size"))
    root = models.BinaryField(_("root"), max_length=32)
    note = models.TextField(_("signed note"))
    # The public half of the key that signed it, as trust files write it: who reads needs no private key. Empty in those
    # that an earlier release signed.
    key = models.TextField(_("key"), blank=True, default="")
    previous_size = models.BigIntegerField(_("previous size"), default=0)
    consistency = models.JSONField(_("consistency proof"), default=list)

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        ordering = ["log", "size"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["log", "size"], name="checkpoint_once_a_size"),
            models.UniqueConstraint(fields=["log", "previous_size"], name="checkpoint_has_one_successor"),
            models.CheckConstraint(condition=Q(size__gt=F("previous_size")), name="checkpoint_grows"),
        ]

    def __str__(self) -> str:
        return f"{self.origin} at {self.size}"

    @property
    def origin(self) -> str:
        """The log's origin, from the note: a witness may not be able to read the log's row."""
        return self.note.partition("\n")[0]

    @property
    def name_on_chain(self) -> bytes:
        """The 32 bytes that `AuditAnchor` knows the log by."""
        return name_on_chain(self.origin)


class Cosignature(UuidModel):
    """One organization's signature of a checkpoint: EIP-712 Checkpoint(log, size, root) by its site key."""

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="cosignatures")
    organization_id = models.UUIDField(_("organization"))
    signer = models.CharField(_("address"), max_length=42)
    signature = models.BinaryField(_("signature"), max_length=65)

    class Meta:
        verbose_name = _("co-signature")
        verbose_name_plural = _("co-signatures")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["checkpoint", "organization_id"], name="cosigned_once_an_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.checkpoint_id} by {self.signer}"


class Anchor(ChainBacked, UuidModel):
    """The request that a checkpoint stands on the chain; a projection of the chain once confirmed."""

    checkpoint = models.OneToOneField(Checkpoint, on_delete=models.PROTECT, related_name="anchor")

    class Meta:
        verbose_name = _("anchor")
        verbose_name_plural = _("anchors")

    def __str__(self) -> str:
        return f"{self.checkpoint_id} ({self.chain_state})"
