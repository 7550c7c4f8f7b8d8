"""Records, which are never changed or deleted, and the personal fields beside them, which may be."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.models.logs import AuditLog
from consortium.common.models import UuidModel


class ActorKind(models.TextChoices):
    """Who may act."""

    PERSON = "person", _("Person")
    AGENT = "agent", _("Agent")
    SYSTEM = "system", _("System")


class Outcome(models.TextChoices):
    """How an act ended: a refused attempt is recorded too."""

    SUCCEEDED = "succeeded", _("Succeeded")
    REFUSED = "refused", _("Refused")


class RecordState(models.TextChoices):
    """How firmly a record stands; see `audit.log.states`."""

    RECORDED = "recorded", _("Recorded")
    INTEGRATED = "integrated", _("Integrated")
    ANCHORED = "anchored", _("Anchored")


class AuditRecord(models.Model):
    """One act. `canonical` is the record; the other columns repeat it for queries, and fsck compares them.

    A person stands here as a salted commitment only; see `PersonalField`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    log = models.ForeignKey(AuditLog, on_delete=models.PROTECT, related_name="records")
    action = models.CharField(_("action"), max_length=80)
    outcome = models.CharField(_("outcome"), max_length=9, choices=Outcome.choices, default=Outcome.SUCCEEDED)
    error_code = models.CharField(_("error"), max_length=60, blank=True, default="")
    actor_kind = models.CharField(_("kind of actor"), max_length=6, choices=ActorKind.choices)
    actor = models.CharField(_("actor"), max_length=80)
    actor_organization_id = models.UUIDField(_("organization of the actor"), null=True)
    subject_kind = models.CharField(_("kind of subject"), max_length=40)
    subject_id = models.CharField(_("subject"), max_length=80)
    recorded_at = models.DateTimeField(_("recorded"))
    correlation_id = models.CharField(_("correlation id"), max_length=36)
    body = models.JSONField(_("data"))
    canonical = models.BinaryField(_("canonical bytes"))
    digest = models.CharField(_("digest"), max_length=71)

    class Meta:
        verbose_name = _("audit record")
        verbose_name_plural = _("audit records")
        ordering = ["recorded_at", "id"]
        indexes: ClassVar = [
            models.Index(fields=["log", "recorded_at"], name="audit_record_by_time"),
            models.Index(fields=["correlation_id"], name="audit_record_by_correlation"),
            models.Index(fields=["subject_kind", "subject_id"], name="audit_record_by_subject"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(outcome="succeeded", error_code="") | Q(outcome="refused") & ~Q(error_code=""),
                name="audit_refusal_has_a_code",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} of {self.subject_kind} {self.subject_id}"


class RecordKey(UuidModel):
    """What a record tells of, where that may be told again: a second record of the same is not written."""

    log = models.ForeignKey(AuditLog, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(_("key"), max_length=200)
    record = models.OneToOneField(AuditRecord, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("record's key")
        verbose_name_plural = _("records' keys")
        constraints: ClassVar = [models.UniqueConstraint(fields=["log", "key"], name="audit_record_once_a_key")]

    def __str__(self) -> str:
        return self.key


class PendingRecord(models.Model):
    """The queue of records without a leaf; a trigger fills it, the integration empties it."""

    # No foreign keys: the trigger takes both from the record, which is never deleted, and each key would cost
    # every act another check at its commit.
    record = models.OneToOneField(
        AuditRecord, primary_key=True, on_delete=models.PROTECT, related_name="pending", db_constraint=False
    )
    log = models.ForeignKey(AuditLog, on_delete=models.PROTECT, related_name="+", db_constraint=False)

    class Meta:
        verbose_name = _("pending record")
        verbose_name_plural = _("pending records")

    def __str__(self) -> str:
        return str(self.record_id)


class PersonalField(UuidModel):
    """What a commitment in a record hides, and its salt. Without this row nobody links the record to the person."""

    record = models.ForeignKey(AuditRecord, on_delete=models.PROTECT, related_name="personal_fields")
    # Whose person it is: members share a consortium's log, not one another's people.
    organization_id = models.UUIDField(_("organization"), null=True)
    name = models.CharField(_("name"), max_length=40)
    salt = models.BinaryField(_("salt"), max_length=32)
    value = models.TextField(_("value"))

    class Meta:
        verbose_name = _("personal field")
        verbose_name_plural = _("personal fields")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["record", "name"], name="personal_field_once_a_record"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "created_at"], name="personal_field_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.record_id}"
