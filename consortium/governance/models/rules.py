"""The numbers that the registry holds for each kind of decision."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel
from consortium.membership.models import Consortium


class DecisionRule(UuidModel):
    """The rule of one kind, as the registry's last event said it."""

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="decision_rules")
    kind = models.CharField(_("kind"), max_length=30)
    quorum_bps = models.PositiveIntegerField(_("quorum"))
    threshold_bps = models.PositiveIntegerField(_("threshold"))
    period_seconds = models.PositiveIntegerField(_("period in seconds"))
    minimum_votes = models.PositiveIntegerField(_("fewest ballots"))
    exclude_author = models.BooleanField(_("author excluded"))
    set_in_block = models.PositiveBigIntegerField(_("block"))

    class Meta:
        verbose_name = _("decision rule")
        verbose_name_plural = _("decision rules")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consortium", "kind"], name="rule_once_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.consortium_id}"
