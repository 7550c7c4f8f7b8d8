"""What a member's agent is given to witness, and its signature."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Max
from django.utils.translation import gettext as _

from audit.log.anchors import CONTRACT
from audit.log.cosignatures import cosign
from audit.log.keys import told_key
from audit.models import Checkpoint, Cosignature
from consortium.kernel.eip712 import Domain
from consortium.kernel.errors import ConflictError, NotFoundError
from consortium.kernel.identifiers import to_hex
from consortium.kernel.secp256k1 import checksum_address
from consortium.membership.models import Membership, OrganizationKey
from contracts.models import ContractDeployment

# A witness that was away follows in several turns.
MAX_STEPS = 100


class NotAWitnessError(ConflictError):
    """Only active members witness: the contract counts nobody else's signature."""

    code = "not_a_witness"


def waiting_for_witness(organization_id: UUID) -> list[dict[str, Any]]:
    """Return, for each log that the organization witnesses and has not co-signed to its end, the way there."""
    homes = Membership.objects.filter(organization_id=organization_id, status=Membership.Status.ACTIVE)
    followed = Checkpoint.objects.filter(consortium_id__in=homes.values("consortium_id"))
    last = followed.order_by("log_id", "-size").distinct("log_id")
    signed = _signed_sizes(organization_id)
    return [way(one, signed.get(one.log_id, 0)) for one in last if one.size > signed.get(one.log_id, 0)]


def way_from(log_id: UUID, size: int) -> list[dict[str, Any]]:
    """Return one log's way from the size that a witness names: for one that knows better than we what it signed.

    Raises
    ------
    NotFoundError
        If no log of that name is visible, or it never had a checkpoint of that size.
    """
    seen = Checkpoint.objects.filter(log_id=log_id, consortium_id__isnull=False)
    last = seen.order_by("-size").first()
    if last is None or (size and not seen.filter(size=size).exists()):
        raise NotFoundError(_("There is no such checkpoint for you to follow."))
    return [way(last, size)]


def way(last: Checkpoint, since: int) -> dict[str, Any]:
    """Describe a log's checkpoints from `since` on, each with the proof that it extends the one before.

    A witness that has signed none is shown the last one alone: there is nothing yet that it has to extend.
    """
    steps = Checkpoint.objects.filter(log_id=last.log_id, size__gte=since).order_by("size")
    shown = list(steps[:MAX_STEPS]) if since else [last]
    return {
        "log": str(last.log_id),
        "consortium": str(shown[-1].consortium_id),
        "origin": last.origin,
        "key": str(told_key(last)),
        "since": since,
        "steps": [_step(step) for step in shown],
    }


def take_signature(*, checkpoint_id: UUID, organization_id: UUID, signature: bytes) -> Cosignature:
    """Keep a witness's signature of a checkpoint. Nothing is recorded: the row is itself append-only evidence,
    and a record of it would make the log grow, and need witnesses again, for ever.

    Raises
    ------
    NotFoundError
        If the organization cannot see the checkpoint, or nobody is asked to witness it.
    NotAWitnessError
        If it is no active member there.
    CosignatureError, InvalidSignatureError
        If the signature is not by its site key; nothing is kept.
    """
    # Without the model's order, which joins the log: a witness may not be able to read that row.
    checkpoint = Checkpoint.objects.filter(pk=checkpoint_id).order_by().first()
    if checkpoint is None or checkpoint.consortium_id is None:
        raise NotFoundError(_("There is no such checkpoint for you to witness."))
    return cosign(
        checkpoint,
        organization_id=organization_id,
        site_key=_site_key(checkpoint.consortium_id, organization_id),
        signature=signature,
        domain=anchor_domain(checkpoint.consortium_id),
    )


def anchor_domain(consortium_id: UUID) -> Domain:
    """Return the domain in which a consortium's checkpoints are signed; `NotFoundError` if it has no such contract."""
    contract = ContractDeployment.objects.filter(consortium_id=consortium_id, name=CONTRACT).first()
    if contract is None:
        raise NotFoundError(_("The consortium has no contract for checkpoints yet."))
    return Domain(CONTRACT, settings.CHAIN_ID, contract.address)


def _site_key(consortium_id: UUID, organization_id: UUID) -> str:
    key = OrganizationKey.objects.filter(
        membership__consortium_id=consortium_id,
        membership__organization_id=organization_id,
        membership__status=Membership.Status.ACTIVE,
        purpose=OrganizationKey.Purpose.SITE,
        retired_at_block__isnull=True,
    ).first()
    if key is None:
        raise NotAWitnessError(_("Only an active member with a site key in the registry witnesses here."))
    return checksum_address(key.address)


def _signed_sizes(organization_id: UUID) -> dict[UUID, int]:
    signed = Cosignature.objects.filter(organization_id=organization_id).values_list("checkpoint__log_id")
    return dict(signed.annotate(Max("checkpoint__size")))


def _step(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "id": str(checkpoint.pk),
        "size": checkpoint.size,
        "root": to_hex(bytes(checkpoint.root)),
        "note": checkpoint.note,
        "previous_size": checkpoint.previous_size,
        "proof": ["0x" + value for value in checkpoint.consistency],
    }
