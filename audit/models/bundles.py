"""Evidence bundles: what was asked for, how far it has come, and what it became."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.models.checkpoints import Checkpoint
from consortium.common.models import UuidModel


class Bundle(UuidModel):
    """One export. Checkpoint, block and report are fixed by its first try, so that every later one makes equal bytes.

    `tried_at` is the builder's beat: a row whose builder died is taken over by another. A bundle without an
    organization is its auditor's own: that person reads it while they are appointed, and nobody else does.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        BUILDING = "building", _("Being built")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")

    class Step(models.TextChoices):
        WAITING = "waiting", _("Waiting for its turn")
        SELECTING = "selecting", _("Reading records and proofs")
        REPORTING = "reporting", _("Writing the report")
        ASSEMBLING = "assembling", _("Putting the files together")
        DONE = "done", _("Done")

    # Plain columns: organizations, consortia and people live a layer above.
    consortium_id = models.UUIDField(_("consortium"))
    organization_id = models.UUIDField(_("organization"), null=True, blank=True)
    person_id = models.UUIDField(_("person"))
    report = models.CharField(_("report"), max_length=60)
    # Whole days in UTC. Empty in bundles that were asked for when reports spoke of all that was recorded.
    period_from = models.DateField(_("period from"), null=True, blank=True)
    period_until = models.DateField(_("period until"), null=True, blank=True)
    # The model that the report is about, if it is about one.
    model_id = models.UUIDField(_("model"), null=True, blank=True)
    correlation_id = models.CharField(_("correlation id"), max_length=36)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.REQUESTED)
    step = models.CharField(_("step"), max_length=10, choices=Step.choices, default=Step.WAITING)
    progress = models.PositiveSmallIntegerField(_("progress in percent"), default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    tried_at = models.DateTimeField(_("last worked on"), null=True, blank=True)
    error_code = models.CharField(_("error"), max_length=60, blank=True, default="")
    error_text = models.CharField(_("error in words"), max_length=500, blank=True, default="")
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    through_block = models.PositiveBigIntegerField(_("last block read"), null=True, blank=True)
    document = models.JSONField(_("report's data"), null=True, blank=True)
    digest = models.CharField(_("digest"), max_length=71, blank=True, default="")
    size_bytes = models.PositiveBigIntegerField(_("size in bytes"), null=True, blank=True)
    ready_at = models.DateTimeField(_("ready"), null=True, blank=True)

    class Meta:
        verbose_name = _("evidence bundle")
        verbose_name_plural = _("evidence bundles")
        ordering = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["requested", "building", "ready", "failed"]), name="bundle_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="ready")
                | ~Q(digest="") & Q(size_bytes__isnull=False, checkpoint__isnull=False, document__isnull=False),
                name="ready_bundle_is_whole",
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(error_code=""), name="failed_bundle_says_why"),
            models.CheckConstraint(
                condition=Q(period_from__isnull=True, period_until__isnull=True)
                | Q(period_from__isnull=False, period_until__isnull=False, period_until__gte=F("period_from")),
                name="bundle_period_in_order",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "created_at"], name="bundles_of_a_member"),
            models.Index(fields=["tried_at"], condition=Q(state__in=["requested", "building"]), name="bundles_to_make"),
        ]

    def __str__(self) -> str:
        return f"{self.report} of {self.consortium_id} ({self.state})"

    @property
    def is_open(self) -> bool:
        """Whether it is still being made."""
        return self.state in (self.State.REQUESTED, self.State.BUILDING)
