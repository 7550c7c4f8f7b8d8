"""The tenant."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel


class Organization(UuidModel):
    """A hospital or a bank: the tenant whose rows others never see."""

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    country = models.CharField(_("country"), max_length=2, blank=True, default="")

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class MemberPage(models.Model):
    """Where an organization's own people reach the page that its agent serves; nobody else is told."""

    organization = models.OneToOneField(
        Organization, primary_key=True, on_delete=models.PROTECT, related_name="member_page"
    )
    address = models.URLField(_("address"), max_length=300)

    class Meta:
        verbose_name = _("member page")
        verbose_name_plural = _("member pages")

    def __str__(self) -> str:
        return self.address
