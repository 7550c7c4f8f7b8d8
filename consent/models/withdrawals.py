"""Withdrawals and how far they have come: recorded here, received by the site, confirmed by every chain."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel
from consortium.membership.models import Consortium, Organization


class Withdrawal(UuidModel):
    """One act of withdrawing (GDPR Art. 7(3)); the site answers with a signed receipt."""

    class State(models.TextChoices):
        RECORDED = "recorded", _("Recorded")
        RECEIVED = "received", _("Received by the site")
        CONFIRMED = "confirmed", _("Confirmed")

    class Reason(models.TextChoices):
        SUBJECT_REQUEST = "subject_request", _("The person asked for it")
        OBJECTION = "objection", _("The person objected")
        REPRESENTATIVE = "representative", _("A representative asked for it")
        OTHER = "other", _("Other")

    class Origin(models.TextChoices):
        PLATFORM = "platform", _("Through the platform")
        SITE = "site", _("At the site")

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    pseudonym = models.CharField(_("pseudonym"), max_length=64)
    consent_ids = models.JSONField(_("consents"), default=list)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin.choices)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.RECORDED)
    received_at = models.DateTimeField(_("received"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    receipt = models.JSONField(_("receipt"), null=True, blank=True)
    receipt_digest = models.CharField(_("receipt's digest"), max_length=71, blank=True, default="")
    receipt_signature = models.CharField(_("receipt's signature"), max_length=132, blank=True, default="")

    class Meta:
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")
        ordering = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state="recorded") | ~Q(receipt_signature=""), name="received_only_with_a_receipt"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization"], condition=Q(state="recorded"), name="withdrawals_for_the_site"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} ({self.state})"


class WithdrawalEffect(UuidModel):
    """A withdrawal in one consortium: the entry of that chain (`seq`) from which it holds."""

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="effects")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    epoch = models.PositiveBigIntegerField(_("epoch"), null=True, blank=True)
    seq = models.PositiveBigIntegerField(_("entry"), null=True, blank=True)
    block = models.PositiveBigIntegerField(_("block"), null=True, blank=True)

    class Meta:
        verbose_name = _("effect of a withdrawal")
        verbose_name_plural = _("effects of withdrawals")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["withdrawal", "consortium"], name="one_effect_a_consortium"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["consortium", "organization", "seq"],
                condition=Q(block__isnull=True),
                name="effects_to_confirm",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.withdrawal_id} in {self.consortium_id}"
