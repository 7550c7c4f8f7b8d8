"""Documents and weights, known by the digest of their bytes."""

from typing import ClassVar

from django.db import models

from consortium.common.models.shapes import UuidModel


class Blob(UuidModel):
    """Bytes that a consortium's members may fetch by digest, and check against it themselves."""

    consortium_id = models.UUIDField()
    digest = models.CharField(max_length=71)
    media_type = models.CharField(max_length=80)
    data = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consortium_id", "digest"], name="blob_once_a_consortium"),
        ]

    def __str__(self) -> str:
        return self.digest
