"""Pseudonymous grants, and what they come to for each subject."""

from dataclasses import replace
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consent.domain import grants as rules
from consent.fhir.mapping import grant_of
from consent.models.batches import ConsentBatch
from consent.models.withdrawals import Withdrawal
from consortium.common.models import UuidModel
from consortium.membership.models import Consortium, Organization


class Grant(UuidModel):
    """One consent of a subject known by pseudonym: the stripped resource as the site signed it, and its state.

    `consent_id` is the keyed pseudonym of the consent's id at the site. An erased grant has no contents, and its
    pseudonym and id are random.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")
        ENTERED_IN_ERROR = "entered_in_error", _("Entered in error")
        ERASED = "erased", _("Erased")

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    batch = models.ForeignKey(ConsentBatch, on_delete=models.PROTECT, related_name="grants")
    consent_id = models.CharField(_("consent"), max_length=64)
    pseudonym = models.CharField(_("pseudonym"), max_length=64)
    state = models.CharField(_("state"), max_length=16, choices=State.choices)
    recorded_at = models.DateTimeField(_("given"))
    resource = models.JSONField(_("stripped consent"), null=True)
    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="grants", null=True)

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consortium", "organization", "consent_id"], name="consent_recorded_once"),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "active", "withdrawn", "expired", "entered_in_error", "erased"]),
                name="grant_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="erased", resource__isnull=True) | ~Q(state="erased") & Q(resource__isnull=False),
                name="erased_grant_is_empty",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["consortium", "organization", "pseudonym"], name="grants_of_a_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} ({self.state})"

    def as_rule_source(self) -> rules.Grant:
        """Return the grant as the pure rules know it, in the state that it has here."""
        return replace(grant_of(self.resource or {}), state=rules.GrantState(self.state))


class EffectiveRule(UuidModel):
    """The flat relation of `consent.domain.relation`: a row for each rule of each subject."""

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=64)
    rule_group = models.PositiveIntegerField()
    rule_rank = models.PositiveIntegerField()
    effect = models.CharField(max_length=6)
    purpose = models.CharField(max_length=40)
    purpose_path = models.CharField(max_length=200)
    category = models.CharField(max_length=265, null=True)  # noqa: DJ001  null is any, and no category is empty
    recipient = models.CharField(max_length=36, null=True)  # noqa: DJ001  null is any member
    conditions = ArrayField(models.TextField())
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("effective rule")
        verbose_name_plural = _("effective rules")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(effect__in=["permit", "deny"]), name="rule_effect_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["consortium", "organization", "subject"], name="rules_of_a_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.effect} {self.purpose}"
