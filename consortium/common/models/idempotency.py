"""Answers that are given again when a request is repeated."""

from typing import ClassVar

from django.db import models

from consortium.common.models.shapes import UuidModel


class RememberedAnswer(UuidModel):
    """One POST and what it was answered; written in the same transaction as its effect."""

    organization_id = models.UUIDField()
    principal = models.CharField(max_length=80)
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=71)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization_id", "principal", "route", "key"], name="answer_once_a_key"),
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
