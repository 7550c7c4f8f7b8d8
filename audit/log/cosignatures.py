"""Witnesses' signatures: EIP-712 Checkpoint(log, size, root) by the site keys of member organizations."""

from uuid import UUID

from django.db import transaction

from audit.log.errors import CosignatureError
from audit.models import Checkpoint, Cosignature
from consortium.kernel.eip712 import Domain, typed_hash
from consortium.kernel.secp256k1 import recover


def checkpoint_digest(checkpoint: Checkpoint, domain: Domain) -> bytes:
    """Return the 32 bytes that a witness signs: the domain is that of the consortium's `AuditAnchor`."""
    message = {"log": checkpoint.name_on_chain, "size": checkpoint.size, "root": bytes(checkpoint.root)}
    return typed_hash(domain, "Checkpoint", message)


@transaction.atomic
def cosign(
    checkpoint: Checkpoint, *, organization_id: UUID, site_key: str, signature: bytes, domain: Domain
) -> Cosignature:
    """Keep an organization's signature; the same one again returns the row that is there.

    `site_key` is the address that the registry lists for the organization: the caller reads it there.

    Raises
    ------
    InvalidSignatureError
        If the signature is malformed.
    CosignatureError
        If it is by another key, or the organization has co-signed otherwise; nothing is kept.
    """
    if recover(checkpoint_digest(checkpoint, domain), signature) != site_key:
        raise CosignatureError("The co-signature is not by the organization's site key. Sign this checkpoint with it.")
    row, made = Cosignature.objects.get_or_create(
        checkpoint=checkpoint,
        organization_id=organization_id,
        defaults={"signer": site_key, "signature": signature},
    )
    if not made and (row.signer, bytes(row.signature)) != (site_key, signature):
        raise CosignatureError("The organization has co-signed this checkpoint with another key already.")
    return row
