"""Batches of consents as a site's key signed them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel
from consortium.membership.models import Consortium, Organization


class ConsentBatch(UuidModel):
    """One batch: taken whole, or refused whole with what was wrong with it. Its digest names every consent in it."""

    class State(models.TextChoices):
        ACCEPTED = "accepted", _("Accepted")
        REFUSED = "refused", _("Refused")

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    sequence = models.PositiveBigIntegerField(_("number"))
    digest = models.CharField(_("digest"), max_length=71)
    signature = models.CharField(_("signature"), max_length=132, blank=True, default="")
    state = models.CharField(_("state"), max_length=8, choices=State.choices)
    accepted = models.PositiveIntegerField(_("consents taken"), default=0)
    # Lines that the site itself refused, and those for which the platform refused the batch.
    refused = models.PositiveIntegerField(_("lines refused"), default=0)
    error_code = models.CharField(_("error"), max_length=60, blank=True, default="")
    # Element paths and reasons of ours, never a value of the consent.
    errors = models.JSONField(_("errors"), default=list)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["consortium", "organization", "sequence"],
                condition=Q(state="accepted"),
                name="one_accepted_batch_a_number",
            ),
            models.CheckConstraint(condition=Q(state__in=["accepted", "refused"]), name="batch_state_known"),
            models.CheckConstraint(condition=Q(state="accepted") | Q(accepted=0), name="refused_batch_keeps_nothing"),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.sequence} ({self.state})"
