"""Asking for a bundle: the row first, the worker after the commit."""

from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from audit.bundles import storage
from audit.bundles.errors import BundleNotReadyError
from audit.bundles.exporters import Exporter
from audit.bundles.orders import Order, require_open_to_auditors, settle
from audit.models import Bundle
from consortium.common.api import ensure_atomic
from consortium.common.correlation import correlation_id
from consortium.kernel.errors import NotFoundError
from consortium.membership.access import access_consortium

# By name, because the doors lie a layer above.
TASK = "audit.tasks.make_bundle"


def export_bundle(*, consortium_id: UUID, exporter: Exporter, order: Order) -> Bundle:
    """Ask for a bundle of the consortium's log with one report in it; the row tells how far it has come.

    Raises
    ------
    ReportOfMemberError
        If an auditor asks for a report that is a member's own account.
    UnknownReportError, PeriodInvalidError, ModelChoiceError, NotFoundError
        If the order cannot be carried out, see `settle`; nothing is asked for then.
    """
    ensure_atomic()
    settled = settle(order, access_consortium(consortium_id))
    if exporter.organization_id is None:
        require_open_to_auditors(settled.report)
    bundle = Bundle.objects.create(
        consortium_id=consortium_id,
        organization_id=exporter.organization_id,
        person_id=exporter.person_id,
        report=settled.report.name,
        period_from=settled.period.since,
        period_until=settled.period.until,
        model_id=settled.model_id,
        correlation_id=correlation_id(),
    )
    # A lost message is found by the sweep.
    arguments = owner_arguments(bundle.pk, exporter.organization_id, exporter.person_id)
    send = partial(current_app.send_task, TASK, args=arguments)
    transaction.on_commit(send, robust=True)
    return bundle


def owner_arguments(bundle_id: UUID, organization_id: UUID | None, person_id: UUID) -> list[str]:
    """Return what a worker is told: the bundle, and as whom to make it, an organization or the auditor by person."""
    if organization_id is None:
        return [str(bundle_id), "", str(person_id)]
    return [str(bundle_id), str(organization_id)]


def access_bundle(bundle_id: UUID) -> Bundle:
    """Return a bundle of the asker's organization, or of their own as an auditor."""
    bundle = Bundle.objects.filter(pk=bundle_id).first()
    if bundle is None:
        raise NotFoundError(_("There is no such bundle of yours."))
    return bundle


def bundles_that(are: Q) -> QuerySet[Bundle]:
    """Return bundles by whose they are, newest first."""
    return Bundle.objects.filter(are).select_related("checkpoint").defer("document").order_by("-created_at")


def content_of(bundle: Bundle) -> bytes:
    """Return a finished bundle's bytes.

    Raises
    ------
    BundleNotReadyError
        If it is not finished.
    BundleStorageError
        If its file is gone or was changed.
    """
    if bundle.state != Bundle.State.READY:
        raise BundleNotReadyError(_("The bundle is not ready. Ask for its state first."))
    return storage.read(bundle.pk, digest=bundle.digest)
