"""The reference table of purposes, the same for every tenant."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Purpose(models.Model):
    """A term of GA4GH's Data Use Ontology: its code, shorthand and label (CC BY 4.0)."""

    code = models.CharField(_("code"), max_length=11, primary_key=True)
    shorthand = models.CharField(_("shorthand"), max_length=16, blank=True, default="")
    label = models.CharField(_("label"), max_length=200)
    # A modifier limits a permission, and is no purpose by itself.
    is_condition = models.BooleanField(_("modifier"), default=False)

    class Meta:
        verbose_name = _("purpose")
        verbose_name_plural = _("purposes")
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.label}"
