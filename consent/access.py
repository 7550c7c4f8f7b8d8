"""Fetch with permission: one's own consents, or nothing."""

from uuid import UUID

from django.utils.translation import gettext as _

from consent.models import ConsentBatch, Grant, Withdrawal
from consortium.kernel.errors import NotFoundError


def access_grant(grant_id: UUID, *, organization_id: UUID) -> Grant:
    """Return the grant, locked, if it is the organization's own."""
    grant = Grant.objects.select_for_update().filter(pk=grant_id, organization_id=organization_id).first()
    if grant is None:
        raise NotFoundError(_("There is no such consent in your organization."))
    return grant


def access_withdrawal(withdrawal_id: UUID, *, organization_id: UUID) -> Withdrawal:
    """Return the withdrawal if it is the organization's own."""
    withdrawal = Withdrawal.objects.filter(pk=withdrawal_id, organization_id=organization_id).first()
    if withdrawal is None:
        raise NotFoundError(_("There is no such withdrawal in your organization."))
    return withdrawal


def access_batch(batch_id: UUID, *, organization_id: UUID) -> ConsentBatch:
    """Return the import if it is the organization's own."""
    batch = ConsentBatch.objects.filter(pk=batch_id, organization_id=organization_id).first()
    if batch is None:
        raise NotFoundError(_("There is no such import in your organization."))
    return batch
