"""Which site keys speak for an organization, as the registry's events have left them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from consent.domain.documents import require_signature
from consortium.kernel.eip712 import Domain, typed_hash
from consortium.kernel.errors import InvalidSignatureError, NotFoundError
from consortium.kernel.secp256k1 import recover
from consortium.membership.models import Membership, OrganizationKey
from consortium.membership.selectors import contracts_of

CONTRACT = "ConsentAnchor"


def site_keys(organization_id: UUID, consortium_id: UUID | None = None) -> list[str]:
    """Return the addresses of the organization's present site keys, in one consortium or in all of its own."""
    keys = OrganizationKey.objects.filter(
        membership__organization_id=organization_id,
        purpose=OrganizationKey.Purpose.SITE,
        retired_at_block__isnull=True,
    ).exclude(membership__status=Membership.Status.REMOVED)
    if consortium_id is not None:
        keys = keys.filter(membership__consortium_id=consortium_id)
    return list(keys.values_list("address", flat=True))


def require_document_signature(
    document: Mapping[str, Any], signature: str, *, organization_id: UUID, consortium_id: UUID | None = None
) -> None:
    """Return if the organization's site key signed the document; `InvalidSignatureError` otherwise."""
    keys = site_keys(organization_id, consortium_id)
    require_signature(document, signature, chain_id=settings.CHAIN_ID, site_keys=keys)


def require_anchor_signature(
    *, consortium_id: UUID, organization_id: UUID, primary: str, message: Mapping[str, Any], signature: bytes
) -> bytes:
    """Return the 32 signed bytes of a message for the ConsentAnchor, if the site key signed it.

    Raises
    ------
    NotFoundError
        If the consortium has no such contract, or is not the organization's.
    InvalidSignatureError
        If another key signed; the contract would refuse it.
    """
    address = contracts_of(consortium_id).get(CONTRACT)
    if address is None:
        raise NotFoundError(_("This consortium has no contract for consents that you could anchor in."))
    digest = typed_hash(Domain(CONTRACT, settings.CHAIN_ID, address), primary, message)
    signer = recover(digest, signature)
    if signer.lower() not in {key.lower() for key in site_keys(organization_id, consortium_id)}:
        raise InvalidSignatureError(_("The message is not signed by your organization's present site key."))
    return digest
