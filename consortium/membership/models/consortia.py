"""Consortia, who belongs to them, and with which keys."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consortium.common.models import ChainBacked, UuidModel
from consortium.membership.models.organizations import Organization


class Consortium(UuidModel):
    """A set of memberships with its own contracts, policy and log."""

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    chain_id = models.PositiveBigIntegerField(_("chain"))
    policy_digest = models.CharField(_("policy"), max_length=71, blank=True, default="")
    founded_at = models.DateTimeField(_("founded"), null=True, blank=True)

    class Meta:
        verbose_name = _("consortium")
        verbose_name_plural = _("consortia")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def active_count(self) -> int:
        """How many members are active; without a query where the memberships are prefetched."""
        return sum(row.status == Membership.Status.ACTIVE for row in self.memberships.all())


class Membership(ChainBacked, UuidModel):
    """One organization in one consortium; the registry on the chain decides its status."""

    class Status(models.TextChoices):
        APPLICANT = "applicant", _("Applicant")
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        REMOVED = "removed", _("Removed")

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="memberships")
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.APPLICANT)
    validator = models.CharField(_("validator"), max_length=42, blank=True, default="")
    # Where the other members' nodes reach it: its public key gives the validator's address, so it cannot be another's.
    enode = models.CharField(_("node"), max_length=220, blank=True, default="")
    profile_digest = models.CharField(_("profile"), max_length=71, blank=True, default="")
    joined_at = models.DateTimeField(_("joined"), null=True, blank=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["organization__name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consortium", "organization"], name="membership_once_a_consortium"),
            models.CheckConstraint(
                condition=Q(status__in=["applicant", "active", "suspended", "removed"]), name="membership_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization} in {self.consortium}"


class OrganizationKey(UuidModel):
    """The address of a key that a member signs with; the key itself never comes here."""

    class Purpose(models.TextChoices):
        VOTE = "vote", _("Vote key")
        SITE = "site", _("Site key")

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="keys")
    purpose = models.CharField(_("purpose"), max_length=4, choices=Purpose.choices)
    address = models.CharField(_("address"), max_length=42)
    valid_from_block = models.PositiveBigIntegerField(_("valid from block"), null=True, blank=True)
    retired_at_block = models.PositiveBigIntegerField(_("retired at block"), null=True, blank=True)

    class Meta:
        verbose_name = _("key")
        verbose_name_plural = _("keys")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["membership", "purpose"],
                condition=Q(retired_at_block__isnull=True),
                name="one_current_key_a_purpose",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.address}"
