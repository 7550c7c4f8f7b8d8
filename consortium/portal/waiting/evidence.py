"""Evidence: a log that is not anchored, bundles that failed, releases that nobody has exported."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import AuditLog, AuditRecord, Bundle
from consortium.common.parts import Waiting
from consortium.portal.asker import Asker
from consortium.portal.health import last_anchor
from training.models import Model

# Checkpoints are anchored within a minute; after an hour somebody has to look.
LATE_AFTER = timedelta(hours=1)
ENDS_SOON = timedelta(days=14)


def anchors(asker: Asker) -> Iterator[Waiting]:
    """Records of the consortium's log that have waited too long to be anchored."""
    if not (asker.has("compliance") or asker.appointment) or asker.consortium is None:
        return
    log = AuditLog.objects.filter(consortium_id=asker.consortium.pk).first()
    anchored = last_anchor(asker.consortium.pk)
    records = AuditRecord.objects.filter(log=log).order_by("recorded_at")
    if anchored is not None:
        records = records.filter(recorded_at__gt=anchored.checkpoint.created_at)
    oldest = records.first() if log else None
    if oldest is not None and oldest.recorded_at < timezone.now() - LATE_AFTER:
        yield Waiting(
            urgency=2,
            icon="anchor",
            title=_("The log has not been anchored for long"),
            text=_("Records since then are signed but not on the chain. Ask the members whose agents witness it."),
            url=reverse("audit"),
            act=_("See the log"),
            since=oldest.recorded_at,
        )


def bundles(asker: Asker) -> Iterator[Waiting]:
    """The last bundle of the organization, or the auditor's own, if it failed."""
    last = _own_bundles(asker).defer("document").order_by("-created_at").first()
    if last is not None and last.state == Bundle.State.FAILED:
        yield Waiting(
            urgency=3,
            icon="file-warning",
            title=_("The last evidence bundle failed"),
            text=last.error_text or _("No reason was kept. Export it again."),
            url=reverse("reports"),
            act=_("Export it again"),
            since=last.created_at,
        )


def releases(asker: Asker) -> Iterator[Waiting]:
    """Models released since the last finished bundle of the organization, or the auditor's own."""
    if not _exports(asker) or asker.consortium is None:
        return
    ready = _own_bundles(asker).filter(state=Bundle.State.READY).order_by("-created_at")
    last = ready.values_list("created_at", flat=True).first()
    released = Model.objects.filter(consortium=asker.consortium, state=Model.State.RELEASED).select_related("run__plan")
    if last is not None:
        # A vote may end long before its last day: when it ended, the log says.
        log = AuditRecord.objects.filter(log__consortium_id=asker.consortium.pk, action="model.release.decide")
        since = log.filter(recorded_at__gt=last).values_list("subject_id", flat=True)
        released = released.filter(pk__in=[UUID(one) for one in since])
    for model in released[:3]:
        title = model.run.plan.title if model.run.plan else _("a model")
        yield Waiting(
            urgency=5,
            icon="file-check",
            title=_("Released: %(title)s") % {"title": title},
            text=_("You have exported no evidence since the release.")
            if asker.appointment
            else _("Your organization has exported no evidence since the release."),
            url=reverse("reports"),
            act=_("Export evidence"),
        )


def first_report(asker: Asker) -> Iterator[Waiting]:
    """An auditor's first report, until there is one."""
    if asker.appointment is None or asker.consortium is None or _own_bundles(asker).exists():
        return
    yield Waiting(
        urgency=5,
        icon="file-text",
        title=_("Make your first report of %(name)s") % {"name": asker.consortium.name},
        text=_("It comes in a bundle that verifies off-line; get the trust file from a member, not from here."),
        url=reverse("reports"),
        act=_("Choose a report"),
    )


def appointment(asker: Asker) -> Iterator[Waiting]:
    """An auditor's own appointment, when it ends soon."""
    if asker.appointment is None or asker.appointment.until is None:
        return
    if asker.appointment.until < timezone.now() + ENDS_SOON:
        yield Waiting(
            urgency=4,
            icon="clock-3",
            title=_("Your appointment ends soon"),
            text=_("After it you read nothing here. A member's administrator can appoint you again."),
            url=reverse("reports"),
            act=_("Take your reports with you"),
            due=asker.appointment.until,
        )


def _exports(asker: Asker) -> bool:
    return asker.consortium is not None and (asker.has("compliance") or asker.appointment is not None)


def _own_bundles(asker: Asker) -> QuerySet[Bundle]:
    """The bundles of the chosen consortium that are the organization's, or an auditor's own; none for other roles."""
    if not _exports(asker) or asker.consortium is None:
        return Bundle.objects.none()
    found = Bundle.objects.filter(consortium_id=asker.consortium.pk)
    if asker.appointment is not None:
        return found.filter(organization_id__isnull=True, person_id=asker.user.pk)
    return found.filter(organization_id=asker.organization.pk) if asker.organization else found.none()
