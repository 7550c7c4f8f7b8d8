"""What other consortia's chains have proven to this one: peers, their models, and each thing that was said of one."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel
from consortium.membership.models import Consortium
from training.domain.states import ForeignState

# A number of another chain: up to 2^64 - 1, which no integer column of PostgreSQL holds.
_UINT64: dict[str, Any] = {"max_digits": 20, "decimal_places": 0}


class Peer(UuidModel):
    """Another consortium, known by the digest of its anchor; what lies in the anchor is known once it was opened here.

    `proven_*` is the newest header that the inbox has proven by a call of `advance`, at first the anchor's own block.
    """

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="peers")
    peer = models.CharField(_("peer"), max_length=66)
    # The members' last vote on it.
    is_accepted = models.BooleanField(_("accepted"), default=False)
    decided_block = models.PositiveBigIntegerField(_("decided in block"), null=True, blank=True)
    chain_id = models.DecimalField(_("chain"), null=True, blank=True, **_UINT64)
    models_address = models.CharField(_("its ModelRegistry"), max_length=42, blank=True, default="")
    source_address = models.CharField(_("its ValidatorSource"), max_length=42, blank=True, default="")
    anchor_height = models.DecimalField(_("anchor's block"), null=True, blank=True, **_UINT64)
    anchor_hash = models.CharField(_("anchor's hash"), max_length=66, blank=True, default="")
    anchor_validators = models.CharField(_("anchor's validators"), max_length=66, blank=True, default="")
    opened_block = models.PositiveBigIntegerField(_("opened in block"), null=True, blank=True)
    proven_height = models.DecimalField(_("proven up to block"), null=True, blank=True, **_UINT64)
    proven_hash = models.CharField(_("proven header"), max_length=66, blank=True, default="")
    proven_validators = models.CharField(_("validators in force"), max_length=66, blank=True, default="")
    proven_block = models.PositiveBigIntegerField(_("proven in block"), null=True, blank=True)
    proven_at = models.DateTimeField(_("proven"), null=True, blank=True)

    class Meta:
        verbose_name = _("peer consortium")
        verbose_name_plural = _("peer consortia")
        ordering = ["peer"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["consortium", "peer"], name="peer_once_a_consortium")]

    def __str__(self) -> str:
        return self.peer


class ForeignModel(UuidModel):
    """A model of a peer: `state` is the last that its chain has said of it, as far as that was delivered here."""

    class State(models.TextChoices):
        REGISTERED = ForeignState.REGISTERED.value, _("Registered")
        RELEASED = ForeignState.RELEASED.value, _("Released")
        RECALLED = ForeignState.RECALLED.value, _("Recalled")

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="foreign_models")
    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="models")
    digest = models.CharField(_("digest"), max_length=71)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.REGISTERED)
    # Empty until the registration is delivered.
    card_digest = models.CharField(_("card"), max_length=71, blank=True, default="")
    # Of our chain, and when: the newest delivery.
    proven_block = models.PositiveBigIntegerField(_("proven in block"))
    proven_at = models.DateTimeField(_("proven"))

    class Meta:
        verbose_name = _("model of another consortium")
        verbose_name_plural = _("models of other consortia")
        ordering = ["-proven_at", "digest"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["peer", "digest"], name="foreign_model_once_a_peer"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in ForeignState]), name="foreign_model_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.digest

    @property
    def counts(self) -> bool:
        """Whether the contract's `isReleased` says yes: released, not recalled, and the peer still accepted."""
        return self.state == ForeignState.RELEASED and self.peer.is_accepted


class ForeignStatement(UuidModel):
    """One event of a peer's ModelRegistry that the inbox took: `word` is the card's digest or the peer's decision."""

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="foreign_statements")
    model = models.ForeignKey(ForeignModel, on_delete=models.PROTECT, related_name="statements")
    kind = models.CharField(_("said"), max_length=10, choices=ForeignModel.State.choices)
    word = models.CharField(_("card or decision"), max_length=71)
    peer_block = models.DecimalField(_("block of the peer"), **_UINT64)
    block = models.PositiveBigIntegerField(_("block"))
    transaction_hash = models.CharField(_("transaction"), max_length=66)
    proven_at = models.DateTimeField(_("proven"))

    class Meta:
        verbose_name = _("statement of a peer")
        verbose_name_plural = _("statements of peers")
        ordering = ["block", "kind"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "kind"], name="foreign_statement_once_a_kind"),
            models.CheckConstraint(
                condition=Q(kind__in=[s.value for s in ForeignState]), name="foreign_statement_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.word}"
