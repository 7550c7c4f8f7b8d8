"""Work that waits for a site's agent: agents pull, nothing connects inwards."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel
from consortium.membership.models.consortia import Consortium
from consortium.membership.models.organizations import Organization


class WorkItem(UuidModel):
    """One typed request to one site, and its answer."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        TAKEN = "taken", _("Taken")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        CLOSED = "closed", _("Closed")

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    payload = models.JSONField(default=dict)
    # Raised by each coordinator that takes a run over: lower numbers are refused everywhere.
    fence = models.PositiveBigIntegerField(default=0)
    deadline = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    taken_at = models.DateTimeField(null=True, blank=True)
    beat_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True)
    result_bytes = models.BinaryField(null=True, blank=True)
    refusal_code = models.CharField(max_length=80, blank=True, default="")
    refusal_text = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("work item")
        verbose_name_plural = _("work items")
        indexes: ClassVar = [
            models.Index(
                fields=["organization", "created_at"],
                condition=models.Q(state__in=["open", "taken"]),
                name="work_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.organization_id}"


class SitePresence(models.Model):
    """When a site's agent was last heard of."""

    organization = models.OneToOneField(
        Organization, primary_key=True, on_delete=models.PROTECT, related_name="presence"
    )
    seen_at = models.DateTimeField()
    version = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        verbose_name = _("site's presence")
        verbose_name_plural = _("sites' presence")

    def __str__(self) -> str:
        return f"{self.organization_id} at {self.seen_at:%H:%M:%S}"
