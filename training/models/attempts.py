"""Attempts of a round, each site's part in them, and the errands that sites were sent on."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel
from consortium.membership.models import Consortium, Organization, WorkItem
from training.domain.states import AttemptState
from training.models.runs import Round, Run


class Attempt(UuidModel):
    """One attempt. A time that is set says that what it names is durable: a coordinator that resumes goes on there."""

    class State(models.TextChoices):
        ANNOUNCED = AttemptState.ANNOUNCED.value, _("Announced")
        OPEN = AttemptState.OPEN.value, _("Open")
        COLLECTING = AttemptState.COLLECTING.value, _("Collecting")
        REVEALED = AttemptState.REVEALED.value, _("Revealed")
        CLOSED = AttemptState.CLOSED.value, _("Closed")
        ABANDONED = AttemptState.ABANDONED.value, _("Abandoned")

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="attempts")
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField(_("attempt"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ANNOUNCED)
    # The attempt's number stays until the chain has opened it; sites are asked anew under the next announcement.
    announcement = models.PositiveIntegerField(default=1)
    weights = models.CharField(_("weights"), max_length=71)
    roster = models.JSONField(_("roster"), default=list)
    roster_digest = models.CharField(max_length=66, blank=True, default="")
    opened_block = models.PositiveBigIntegerField(_("opened in block"), null=True, blank=True)
    survivors = models.JSONField(_("survivor set"), null=True, blank=True)
    opened_secrets = models.JSONField(null=True, blank=True)
    aggregate = models.CharField(_("aggregate"), max_length=71, blank=True, default="")
    next_weights = models.CharField(_("next weights"), max_length=71, blank=True, default="")
    announced_at = models.DateTimeField(_("announced"), auto_now_add=True)
    committed_at = models.DateTimeField(_("commitments in"), null=True, blank=True)
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True)
    dealt_at = models.DateTimeField(_("shares dealt"), null=True, blank=True)
    collected_at = models.DateTimeField(_("vectors in"), null=True, blank=True)
    signed_at = models.DateTimeField(_("survivors signed"), null=True, blank=True)
    released_at = models.DateTimeField(_("shares released"), null=True, blank=True)
    aggregated_at = models.DateTimeField(_("aggregated"), null=True, blank=True)
    verified_at = models.DateTimeField(_("verified"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    abandoned_reason = models.CharField(_("abandoned because"), max_length=20, blank=True, default="")
    abandoned_text = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["round__number", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "number"], name="attempt_once_a_round"),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in AttemptState]), name="attempt_state_known"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of round {self.round_id}"


class SitePart(UuidModel):
    """One site in one attempt: how it fared and why, and every answer that it gave.

    Answers are public or encrypted; a share in `release` opens nothing below t of them.
    """

    class Outcome(models.TextChoices):
        ASKED = "asked", _("Asked")
        COMMITTED = "committed", _("Committed")
        ACCEPTED = "accepted", _("Accepted")
        REFUSED = "refused", _("Refused")
        LOST = "lost", _("Lost")
        LATE = "late", _("Late")

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="parts")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(_("outcome"), max_length=9, choices=Outcome.choices, default=Outcome.ASKED)
    step = models.CharField(_("step"), max_length=10, blank=True, default="")
    code = models.CharField(_("code"), max_length=80, blank=True, default="")
    text = models.CharField(_("reason"), max_length=500, blank=True, default="")
    commitment = models.JSONField(null=True, blank=True)
    commitment_signature = models.CharField(max_length=132, blank=True, default="")
    mask_keys = models.JSONField(null=True, blank=True)
    # As the chain accepted it.
    band = models.PositiveBigIntegerField(_("cohort"), null=True, blank=True)
    epoch = models.PositiveBigIntegerField(_("epoch"), null=True, blank=True)
    accepted_mask_keys = models.CharField(max_length=66, blank=True, default="")
    deal = models.JSONField(null=True, blank=True)
    shares = models.JSONField(null=True, blank=True)
    vector = models.CharField(_("masked vector"), max_length=71, blank=True, default="")
    survivor_signature = models.CharField(max_length=132, blank=True, default="")
    release = models.JSONField(null=True, blank=True)
    result_signature = models.CharField(max_length=132, blank=True, default="")

    class Meta:
        verbose_name = _("site's part")
        verbose_name_plural = _("sites' parts")
        ordering = ["organization_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attempt", "organization"], name="part_once_a_site"),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.outcome}"


class Errand(UuidModel):
    """One request to one site in one attempt, known by (attempt, site, step, number): never asked twice."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="errands")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10)
    number = models.PositiveIntegerField(default=1)
    work = models.ForeignKey(WorkItem, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("errand")
        verbose_name_plural = _("errands")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attempt", "organization", "kind", "number"], name="errand_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.organization_id}"
