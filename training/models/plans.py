"""What is put to the vote before anything trains."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel
from consortium.governance.models import Proposal
from consortium.membership.models import Consortium, Organization
from training.domain.states import PlanState


class Plan(UuidModel):
    """A plan's document by its digest, and how far the vote on it has come."""

    class State(models.TextChoices):
        DRAFT = PlanState.DRAFT.value, _("Draft")
        PROPOSED = PlanState.PROPOSED.value, _("Proposed")
        APPROVED = PlanState.APPROVED.value, _("Approved")
        REJECTED = PlanState.REJECTED.value, _("Rejected")
        RETIRED = PlanState.RETIRED.value, _("Retired")

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="plans")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="plans")
    title = models.CharField(_("title"), max_length=200)
    digest = models.CharField(_("digest"), max_length=71)
    # What the vote is on: keccak256(abi.encode(digest, terms)).
    subject = models.CharField(_("subject"), max_length=66)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.DRAFT)
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, null=True, blank=True, related_name="plans")
    # Whose entries its author began with: a plan is never changed, it is copied.
    copied_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="copies")
    decided_block = models.PositiveBigIntegerField(_("decided in block"), null=True, blank=True)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consortium", "digest"], name="plan_once_a_consortium"),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in PlanState]), name="plan_state_known"),
        ]

    def __str__(self) -> str:
        return self.title
