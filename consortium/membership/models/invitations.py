"""Invitations: a link that lets one person in once, with the roles that an administrator chose."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel
from consortium.membership.models.consortia import Consortium
from consortium.membership.models.organizations import Organization
from consortium.membership.models.people import RoleAssignment, User


class Invitation(UuidModel):
    """An open way in: to an organization with roles, or to a consortium as its auditor until a day.

    The link's secret is shown once and kept nowhere; the row holds its SHA-256, which opens nothing.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ACCEPTED = "accepted", _("Accepted")
        REVOKED = "revoked", _("Taken back")
        EXPIRED = "expired", _("Expired")

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    name = models.CharField(_("name"), max_length=200)
    roles = ArrayField(models.CharField(max_length=10), default=list)
    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    until = models.DateTimeField(_("appointed until"), null=True, blank=True)
    token_digest = models.CharField(max_length=71, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField(_("expires"))
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    accepted_by = models.UUIDField(null=True, blank=True)
    revoked_at = models.DateTimeField(_("taken back"), null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(consortium__isnull=True, until__isnull=True) | Q(consortium__isnull=False, roles=[]),
                name="invitation_to_roles_or_as_auditor",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(revoked_at__isnull=True), name="invitation_ends_once"
            ),
        ]

    def __str__(self) -> str:
        return f"Invitation {self.pk}"

    @property
    def state(self) -> str:
        if self.accepted_at:
            return self.State.ACCEPTED
        if self.revoked_at:
            return self.State.REVOKED
        return self.State.OPEN if self.expires_at > timezone.now() else self.State.EXPIRED

    @property
    def state_label(self) -> str:
        return str(self.State(self.state).label)

    @property
    def role_labels(self) -> list[str]:
        return [str(RoleAssignment.Role(role).label) for role in self.roles]
