"""People and what they may do: who logs in is known here, what they may do lies in their roles."""

from typing import ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel
from consortium.membership.models.consortia import Consortium
from consortium.membership.models.organizations import Organization


class UserManager(BaseUserManager["User"]):
    def create_user(self, *, email: str, name: str, password: str | None = None) -> "User":
        """Make a person who can log in; without a password nobody can, until one is set."""
        user = self.model(email=self.normalize_email(email).lower(), name=name)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, UuidModel):
    """A person. Roles, not flags, say what a person may do; there is no superuser."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    is_active = models.BooleanField(_("active"), default=True)
    is_operator = models.BooleanField(
        _("operator"), default=False, help_text=_("Runs the deployment; sees no tenant's rows.")
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RoleAssignment(UuidModel):
    """What one person may do in one organization."""

    class Role(models.TextChoices):
        ADMIN = "admin", _("Administrator")
        VOTER = "voter", _("Voter")
        STEWARD = "steward", _("Data steward")
        SCIENTIST = "scientist", _("Data scientist")
        COMPLIANCE = "compliance", _("Compliance officer")

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="roles")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="roles")
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    # Set on all of a person's roles in an organization at once: deactivated there, and only there.
    suspended_at = models.DateTimeField(_("deactivated"), null=True, blank=True)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "organization", "role"], name="role_once_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} of {self.organization}"

    @classmethod
    def of(cls, user: User) -> "models.QuerySet[Self]":
        """The roles in which a person may act now."""
        return cls.objects.filter(user=user, suspended_at__isnull=True).select_related("organization")


class AuditorAppointment(UuidModel):
    """A person who may read one consortium: its auditor or regulator."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="appointments")
    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="auditors")
    until = models.DateTimeField(_("until"), null=True, blank=True)
    # Whose administrator appointed, and may end it; the name, so that members know who reads their consortium.
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(_("name"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("auditor's appointment")
        verbose_name_plural = _("auditors' appointments")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "consortium"], name="appointed_once_a_consortium"),
        ]

    def __str__(self) -> str:
        return f"{self.user} reads {self.consortium}"
