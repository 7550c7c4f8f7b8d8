"""Data sets as their sites registered them."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel
from consortium.membership.models import Consortium, Organization


class DataSet(UuidModel):
    """A registration: schema, band of the number of rows, DUO terms, signed. A later one of the same name replaces it.

    The rows stay at the site; nothing here points to them.
    """

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=64)
    schema = models.JSONField(_("schema"))
    schema_digest = models.CharField(_("schema's digest"), max_length=71)
    band = models.PositiveBigIntegerField(_("band"))
    purposes = models.JSONField(_("purposes"), default=list)
    conditions = models.JSONField(_("conditions"), default=list)
    digest = models.CharField(_("digest"), max_length=71)
    signed_at = models.DateTimeField(_("signed"))
    signature = models.CharField(_("signature"), max_length=132)

    class Meta:
        verbose_name = _("data set")
        verbose_name_plural = _("data sets")
        ordering = ["name", "-signed_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consortium", "organization", "digest"], name="data_set_registered_once"),
        ]

    def __str__(self) -> str:
        return self.name
