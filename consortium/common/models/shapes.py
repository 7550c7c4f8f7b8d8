"""Shapes that the apps' models share."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class UuidModel(models.Model):
    """A row known by a random id, which may stand on the chain and in files."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        abstract = True


class TransactionState(models.TextChoices):
    """How far a request to the chain has come; shown beside every shared statement."""

    RECORDED = "recorded", _("Recorded")
    SUBMITTED = "submitted", _("Submitted")
    CONFIRMED = "confirmed", _("Confirmed")
    FAILED = "failed", _("Failed")


class ChainBacked(models.Model):
    """A row that is a request until the chain confirms it."""

    state_choices: ClassVar = TransactionState
    chain_state = models.CharField(
        _("chain state"), max_length=10, choices=TransactionState.choices, default=TransactionState.RECORDED
    )
    confirmed_block = models.PositiveBigIntegerField(_("block"), null=True, blank=True)
    transaction_hash = models.CharField(_("transaction"), max_length=66, blank=True, default="")

    class Meta:
        abstract = True
