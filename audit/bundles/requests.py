"""Asking for a bundle: the row first, the worker after the commit."""

from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.bundles import storage
from audit.bundles.errors import BundleNotReadyError
from audit.bundles.orders import Order, settle
from audit.models import Bundle
from consortium.common.api import ensure_atomic
from consortium.common.correlation import correlation_id
from consortium.kernel.errors import NotFoundError
from consortium.membership.access import access_consortium

# By name, because the doors lie a layer above.
TASK = "audit.tasks.make_bundle"


def export_bundle(*, consortium_id: UUID, organization_id: UUID, person_id: UUID, order: Order) -> Bundle:
    """Ask for a bundle of the consortium's log with one report in it; the row tells how far it has come.

    Raises
    ------
    UnknownReportError, PeriodInvalidError, ModelChoiceError, NotFoundError
        If the order cannot be carried out, see `settle`; nothing is asked for then.
    """
    ensure_atomic()
    settled = settle(order, access_consortium(consortium_id))
    bundle = Bundle.objects.create(
        consortium_id=consortium_id,
        organization_id=organization_id,
        person_id=person_id,
        report=settled.report.name,
        period_from=settled.period.since,
        period_until=settled.period.until,
        model_id=settled.model_id,
        correlation_id=correlation_id(),
    )
    # A lost message is found by the sweep.
    send = partial(current_app.send_task, TASK, args=[str(bundle.pk), str(organization_id)])
    transaction.on_commit(send, robust=True)
    return bundle


def access_bundle(bundle_id: UUID) -> Bundle:
    """Return a bundle of the asker's organization."""
    bundle = Bundle.objects.filter(pk=bundle_id).first()
    if bundle is None:
        raise NotFoundError(_("There is no such bundle of your organization."))
    return bundle


def bundles_of(organization_id: UUID) -> QuerySet[Bundle]:
    """Return the organization's bundles, newest first."""
    own = Bundle.objects.filter(organization_id=organization_id)
    return own.select_related("checkpoint").defer("document").order_by("-created_at")


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
