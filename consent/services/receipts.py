"""A site's signed receipts: of withdrawals that came through the platform, and of those made at the site."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.acts import Actor, Subject
from audit.recorder import record
from consent.domain.documents import Receipt, read_receipt
from consent.errors import ReceiptDiffersError
from consent.models import Grant, Withdrawal
from consent.services.site_keys import require_document_signature
from consent.services.withdrawals import settle, take_effect
from consortium.kernel.digests import digest_of
from consortium.kernel.errors import InvalidInputError, NotFoundError


@transaction.atomic
def take_receipt(
    *, withdrawal_id: UUID, document: Mapping[str, Any], signature: str, organization_id: UUID, actor: Actor
) -> Withdrawal:
    """Mark a withdrawal as received. One that was made at the site is recorded by its receipt.

    Raises
    ------
    InvalidInputError, InvalidSignatureError
        If the receipt is malformed, of another organization, or not signed by its present site key.
    NotFoundError
        If the withdrawal is another organization's.
    ReceiptDiffersError
        If it is of another subject than the withdrawal, or another receipt was given before.
    """
    receipt = read_receipt(document)
    if receipt.organization != organization_id or receipt.withdrawal != withdrawal_id:
        raise InvalidInputError(_("The receipt is for another withdrawal or of another organization."))
    require_document_signature(document, signature, organization_id=organization_id)
    digest = digest_of(dict(document))
    withdrawal = Withdrawal.objects.select_for_update().filter(pk=withdrawal_id).first() or _made_at_the_site(receipt)
    if withdrawal.pseudonym != receipt.pseudonym or withdrawal.receipt_digest not in ("", digest):
        raise ReceiptDiffersError(_("This receipt does not fit the withdrawal. Nothing was changed."))
    if withdrawal.receipt_digest == digest:
        return withdrawal
    Withdrawal.objects.filter(pk=withdrawal.pk, state=Withdrawal.State.RECORDED).update(
        state=Withdrawal.State.RECEIVED,
        received_at=datetime.fromtimestamp(receipt.signed_at, UTC),
        receipt=dict(document),
        receipt_digest=digest,
        receipt_signature=signature,
    )
    record(
        action="consent.withdrawal.receive",
        organization_id=organization_id,
        consortium_id=None,
        actor=actor,
        subject=Subject("data_subject", receipt.pseudonym),
        data={"withdrawal": str(withdrawal.pk), "receipt": digest},
    )
    # The site decides what is withdrawn; it may be more than was asked for here.
    grants = Grant.objects.filter(
        organization_id=receipt.organization, pseudonym=receipt.pseudonym, consent_id__in=receipt.consents
    )
    take_effect(withdrawal, list(grants.select_for_update().order_by("pk")))
    settle(withdrawal.pk)
    return Withdrawal.objects.get(pk=withdrawal.pk)


def _made_at_the_site(receipt: Receipt) -> Withdrawal:
    """Record the withdrawal that the receipt is the first to tell of; the id of another's is none to speak of."""
    try:
        with transaction.atomic():
            return Withdrawal.objects.create(
                pk=receipt.withdrawal,
                organization_id=receipt.organization,
                pseudonym=receipt.pseudonym,
                consent_ids=list(receipt.consents),
                reason=receipt.reason,
                origin=Withdrawal.Origin.SITE,
            )
    except IntegrityError:
        raise NotFoundError(_("There is no such withdrawal in your organization.")) from None
