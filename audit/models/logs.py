"""The logs: one an organization, one a consortium."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.utils import ProgrammingError
from django.utils.translation import gettext_lazy as _

from consortium.kernel.digests import keccak256
from consortium.kernel.errors import NotFoundError

DEFAULT_ORIGIN = "consilium.example"


class AuditLogManager(models.Manager["AuditLog"]):
    def of(self, *, organization_id: uuid.UUID | None = None, consortium_id: uuid.UUID | None = None) -> "AuditLog":
        """Return the log of one owner, opened by the first act.

        Raises
        ------
        NotFoundError
            If the acting organization may not write there.
        """
        owner = {"organization_id": organization_id, "consortium_id": consortium_id}
        if (log := self.filter(**owner).first()) is not None:
            return log
        try:
            return self.get_or_create(**owner, defaults=_birth(organization_id))[0]
        except ProgrammingError as error:
            # The database's policy has refused the row: for the asker there is no such log.
            raise NotFoundError("No log of that owner is visible to the acting organization.") from error


def _birth(organization_id: uuid.UUID | None) -> dict[str, object]:
    identifier = uuid.uuid4()
    host = getattr(settings, "LOG_ORIGIN", DEFAULT_ORIGIN)
    kind = AuditLog.Kind.CONSORTIUM if organization_id is None else AuditLog.Kind.ORGANIZATION
    return {"id": identifier, "kind": kind, "origin": f"{host}/logs/{identifier}"}


class AuditLog(models.Model):
    """One tamper-evident log. Its origin names it in checkpoints, and its `chain_id` on the chain."""

    class Kind(models.TextChoices):
        ORGANIZATION = "organization", _("Organization")
        CONSORTIUM = "consortium", _("Consortium")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    # Plain columns: organizations and consortia live a layer above.
    organization_id = models.UUIDField(_("organization"), null=True, unique=True)
    consortium_id = models.UUIDField(_("consortium"), null=True, unique=True)
    origin = models.CharField(_("origin"), max_length=200, unique=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects: ClassVar[AuditLogManager] = AuditLogManager()

    class Meta:
        verbose_name = _("audit log")
        verbose_name_plural = _("audit logs")
        ordering = ["origin"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="organization", organization_id__isnull=False, consortium_id__isnull=True)
                | Q(kind="consortium", organization_id__isnull=True, consortium_id__isnull=False),
                name="audit_log_has_one_owner",
            ),
        ]

    def __str__(self) -> str:
        return self.origin

    @property
    def name_on_chain(self) -> bytes:
        """The 32 bytes that `AuditAnchor` knows this log by."""
        return name_on_chain(self.origin)


def name_on_chain(origin: str) -> bytes:
    """Return keccak-256 of a log's origin, as the contract keys its checkpoints."""
    return keccak256(origin.encode())
