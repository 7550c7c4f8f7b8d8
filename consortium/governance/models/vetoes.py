"""Who may veto what was voted, and who has signed that it be stopped."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel
from consortium.governance.models.proposals import Proposal
from consortium.membership.models import Consortium, Organization

LONGEST_REASON = 500


class GuardianRule(UuidModel):
    """The guardian of a consortium, as its last event said it: `threshold` of `organizations` together veto."""

    consortium = models.OneToOneField(Consortium, on_delete=models.PROTECT, related_name="guardian_rule")
    organizations = models.JSONField(_("guardians"), default=list)
    threshold = models.PositiveIntegerField(_("signatures that a veto needs"))
    set_in_block = models.PositiveBigIntegerField(_("block"))

    class Meta:
        verbose_name = _("guardian")
        verbose_name_plural = _("guardians")

    def __str__(self) -> str:
        return f"{self.threshold} of {len(self.organizations)} in {self.consortium_id}"


class Veto(UuidModel):
    """One guardian's signature against an act that waits; `reason` is its own words, which no signature covers."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="vetoes")
    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="vetoes")
    reason = models.TextField(_("reason"), max_length=LONGEST_REASON)
    voter = models.CharField(_("vote key"), max_length=42)
    signature = models.CharField(_("signature"), max_length=132)

    class Meta:
        verbose_name = _("veto")
        verbose_name_plural = _("vetoes")
        constraints: ClassVar = [
            # A key that was replaced leaves a signature that no longer counts; its successor signs anew.
            models.UniqueConstraint(fields=["proposal", "organization", "voter"], name="one_veto_a_key"),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} against {self.proposal_id}"
