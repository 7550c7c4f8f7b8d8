"""How many witnesses a consortium's checkpoints need."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class WitnessRule(models.Model):
    """The registry's number of co-signatures, as its last event said it."""

    consortium_id = models.UUIDField(_("consortium"), primary_key=True)
    quorum = models.PositiveIntegerField(_("witnesses needed"))
    set_in_block = models.PositiveBigIntegerField(_("block"))

    class Meta:
        verbose_name = _("witness rule")
        verbose_name_plural = _("witness rules")

    def __str__(self) -> str:
        return f"{self.quorum} in {self.consortium_id}"
