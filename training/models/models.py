"""Models: the last weights of completed runs, and whether they may serve."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consortium.common.models import ChainBacked, UuidModel
from consortium.governance.models import Proposal
from consortium.membership.models import Consortium, Organization
from training.domain.states import ModelState
from training.models.runs import Run


class Model(ChainBacked, UuidModel):
    """One model, known by the digest of its canonical safetensors."""

    class State(models.TextChoices):
        CANDIDATE = ModelState.CANDIDATE.value, _("Candidate")
        PROPOSED = ModelState.PROPOSED.value, _("Proposed")
        RELEASED = ModelState.RELEASED.value, _("Released")
        REJECTED = ModelState.REJECTED.value, _("Rejected")
        RECALLED = ModelState.RECALLED.value, _("Recalled")
        SUPERSEDED = ModelState.SUPERSEDED.value, _("Superseded")

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="models")
    # The author of the run's plan, which registers the candidate.
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="models")
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="model")
    digest = models.CharField(_("digest"), max_length=71)
    card_digest = models.CharField(_("card"), max_length=71)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.CANDIDATE)
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, null=True, blank=True, related_name="models")
    released_block = models.PositiveBigIntegerField(_("released in block"), null=True, blank=True)
    recalled_block = models.PositiveBigIntegerField(_("recalled in block"), null=True, blank=True)
    # The work that asks the author's agent to register the candidate.
    registration_work = models.UUIDField(null=True, blank=True)

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consortium", "digest"], name="model_once_a_consortium"),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in ModelState]), name="model_state_known"),
        ]

    def __str__(self) -> str:
        return self.digest
