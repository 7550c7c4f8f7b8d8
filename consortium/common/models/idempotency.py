"""Answers that are given again when a request is repeated."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from consortium.common.models.shapes import UuidModel


class RememberedAnswer(UuidModel):
    """One POST and what it was answered; written in the same transaction as its effect.

    Without an organization the principal is a person who acts for none, and the answer is theirs alone.
    """

    organization_id = models.UUIDField(null=True, blank=True)
    principal = models.CharField(max_length=80)
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=71)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization_id", "principal", "route", "key"], name="answer_once_a_key"),
            models.UniqueConstraint(
                fields=["principal", "route", "key"],
                condition=Q(organization_id__isnull=True),
                name="answer_once_a_key_of_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
