"""What each organization has anchored of its consents: roots, bands and salted commitments, never a count."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consortium.common.models import ChainBacked, UuidModel
from consortium.membership.models import Consortium, Organization


class Anchored(ChainBacked, UuidModel):
    """A message that a site signed for the ConsentAnchor; `message_digest` is what it signed."""

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    epoch = models.PositiveBigIntegerField(_("epoch"))
    seq = models.PositiveBigIntegerField(_("entry"))
    # Empty for what came to the chain another way than through this platform.
    message_digest = models.CharField(_("signed message"), max_length=66, blank=True, default="")
    failure = models.CharField(_("failure"), max_length=100, blank=True, default="")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.organization_id} {self.epoch}/{self.seq} ({self.chain_state})"


class ConsentEpoch(Anchored):
    """The state of an organization's consents at one time, under one root."""

    root = models.CharField(_("root"), max_length=66)
    band = models.PositiveBigIntegerField(_("band"))
    as_of = models.DateTimeField(_("as of"))

    class Meta:
        verbose_name = _("consent epoch")
        verbose_name_plural = _("consent epochs")
        ordering = ["-seq"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["consortium", "organization", "message_digest"],
                condition=~Q(message_digest=""),
                name="epoch_relayed_once",
            ),
            models.UniqueConstraint(
                fields=["consortium", "organization", "epoch"],
                condition=Q(chain_state="confirmed"),
                name="one_confirmed_epoch_a_number",
            ),
        ]


class RevocationEvent(Anchored):
    """Subjects revoked within an epoch, by their salted commitments S."""

    subjects = models.JSONField(_("subjects"), default=list)

    class Meta:
        verbose_name = _("revocation")
        verbose_name_plural = _("revocations")
        ordering = ["-seq"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["consortium", "organization", "message_digest"],
                condition=~Q(message_digest=""),
                name="revocation_relayed_once",
            ),
            models.UniqueConstraint(
                fields=["consortium", "organization", "seq"],
                condition=Q(chain_state="confirmed"),
                name="one_confirmed_revocation_a_seq",
            ),
        ]
