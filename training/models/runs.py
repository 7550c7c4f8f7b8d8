"""Runs of approved plans, their rounds, what people order, and the lineage of what was computed."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consortium.common.models import ChainBacked, UuidModel
from consortium.membership.models import Consortium, Organization
from training.domain.states import RunState
from training.models.plans import Plan


class Run(ChainBacked, UuidModel):
    """One run; its id is the one on the chain. `fence` and `lease_*` say which coordinator may write."""

    class State(models.TextChoices):
        PLANNED = RunState.PLANNED.value, _("Planned")
        WAITING_FOR_SITES = RunState.WAITING_FOR_SITES.value, _("Waiting for sites")
        RUNNING = RunState.RUNNING.value, _("Running")
        PAUSED = RunState.PAUSED.value, _("Paused")
        COMPLETED = RunState.COMPLETED.value, _("Completed")
        CANCELED = RunState.CANCELED.value, _("Canceled")
        FAILED = RunState.FAILED.value, _("Failed")

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="runs")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="runs")
    # Empty for a run that is known from the chain alone.
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, null=True, blank=True, related_name="runs")
    plan_digest = models.CharField(_("plan"), max_length=71)
    decision = models.CharField(_("decision"), max_length=66)
    backend = models.CharField(_("back end"), max_length=20, default="memory")
    state = models.CharField(_("state"), max_length=17, choices=State.choices, default=State.PLANNED)
    rounds = models.PositiveIntegerField(_("rounds"))
    # The weights that the next round starts from.
    weights = models.CharField(_("weights"), max_length=71, blank=True, default="")
    fence = models.PositiveBigIntegerField(default=0)
    lease_holder = models.CharField(max_length=80, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    # When a coordinator was last asked for, so that the sweep does not fill the queue.
    called_at = models.DateTimeField(null=True, blank=True)
    faults = models.PositiveIntegerField(default=0)
    failure_code = models.CharField(_("failure"), max_length=80, blank=True, default="")
    failure_text = models.CharField(_("failure in words"), max_length=500, blank=True, default="")
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    # The work that asks the author's agent to end the run on the chain.
    ending_work = models.UUIDField(null=True, blank=True)

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=[s.value for s in RunState]), name="run_state_known"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"],
                condition=Q(state__in=["planned", "waiting_for_sites", "running", "paused"]),
                name="runs_live",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"


class RunOrder(UuidModel):
    """What a person of the author's organization wants of a run; the system obeys and says when."""

    class Kind(models.TextChoices):
        PAUSE = "pause", _("Pause")
        RESUME = "resume", _("Resume")
        CANCEL = "cancel", _("Cancel")

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="orders")
    kind = models.CharField(_("order"), max_length=6, choices=Kind.choices)
    reason = models.CharField(_("reason"), max_length=500, blank=True, default="")
    obeyed_at = models.DateTimeField(_("obeyed"), null=True, blank=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.run_id}"


class Round(UuidModel):
    """One round: the weights it starts from, and, once it is closed on the chain, what it came to."""

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="round_set")
    number = models.PositiveIntegerField(_("round"))
    weights = models.CharField(_("weights"), max_length=71)
    next_weights = models.CharField(_("next weights"), max_length=71, blank=True, default="")
    # Pooled over the survivors, of the incoming weights: auc, auc_error_bound, accuracy, calibration_error, rows_band.
    metrics = models.JSONField(_("metrics"), default=dict)
    closed_attempt = models.PositiveIntegerField(_("attempt"), null=True, blank=True)
    closed_block = models.PositiveBigIntegerField(_("block"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("round")
        verbose_name_plural = _("rounds")
        ordering = ["number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "number"], name="round_once_a_run")]

    def __str__(self) -> str:
        return f"round {self.number}"


class LineageRow(UuidModel):
    """One task of a back end: kept as it ends, joined on (run, round, attempt), since task keys change at a resume."""

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="lineage")
    round = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField()
    # Empty for what the platform computed.
    organization_id = models.UUIDField(null=True, blank=True)
    kind = models.CharField(max_length=20)
    backend = models.CharField(max_length=20)
    compute_plan = models.CharField(max_length=80)
    key = models.CharField(max_length=80)
    status = models.CharField(max_length=20)
    parents = models.JSONField(default=list)
    output_digest = models.CharField(max_length=71, blank=True, default="")
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("lineage row")
        verbose_name_plural = _("lineage rows")
        ordering = ["round", "attempt", "created_at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "key"], name="lineage_once_a_task")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
