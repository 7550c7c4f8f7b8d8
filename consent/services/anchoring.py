"""Relaying what a site signed for the ConsentAnchor; the platform can neither make nor change it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from audit.acts import Actor
from consent.models import ConsentEpoch, RevocationEvent, WithdrawalEffect
from consent.services.site_keys import CONTRACT, require_anchor_signature
from consortium.kernel.bands import EDGES
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32
from consortium.membership.access import require_member
from contracts import outbox

MAX_SUBJECTS = 256
MAX_WITHDRAWALS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedEpoch:
    """An `AnchorEpoch` and its signature; `withdrawals` are those that it puts into effect."""

    consortium_id: UUID
    epoch: int
    root: bytes
    band: int
    seq: int
    as_of: int
    signature: bytes
    withdrawals: Collection[UUID] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRevocation:
    """A `RevokeConsents` and its signature; `withdrawals` are those that it puts into effect."""

    consortium_id: UUID
    epoch: int
    seq: int
    subjects: Sequence[bytes]
    signature: bytes
    withdrawals: Collection[UUID] = ()


@transaction.atomic
def relay_epoch(*, signed: SignedEpoch, organization_id: UUID, actor: Actor) -> ConsentEpoch:
    """Hand an epoch to the chain; the same message again is the same row.

    Raises
    ------
    InvalidInputError, InvalidSignatureError
        If the band is a count, or another key signed; nothing is kept then.
    """
    if signed.band not in (0, *EDGES):
        raise InvalidInputError("An epoch's size is the lower edge of a band, never a count.")
    require_member(signed.consortium_id, organization_id)
    organization = uuid_to_bytes32(organization_id)
    message = {
        **{"organization": organization, "epoch": signed.epoch, "root": signed.root},
        **{"band": signed.band, "seq": signed.seq, "asOf": signed.as_of},
    }
    digest = _require_signed(signed, organization_id, "AnchorEpoch", message)
    row, is_new = ConsentEpoch.objects.get_or_create(
        consortium_id=signed.consortium_id,
        organization_id=organization_id,
        message_digest=digest,
        defaults={
            **{"epoch": signed.epoch, "seq": signed.seq, "root": to_hex(signed.root), "band": signed.band},
            "as_of": datetime.fromtimestamp(signed.as_of, UTC),
        },
    )
    if is_new:
        _attach(signed, organization_id)
        arguments = [organization, signed.epoch, signed.root, signed.band, signed.seq, signed.as_of, signed.signature]
        _enqueue(signed, organization_id, "anchorEpoch", arguments, f"epoch:{organization_id}:{signed.epoch}:{digest}")
    return row


@transaction.atomic
def relay_revocation(*, signed: SignedRevocation, organization_id: UUID, actor: Actor) -> RevocationEvent:
    """Hand an urgent revocation to the chain; the same message again is the same row.

    Raises
    ------
    InvalidInputError, InvalidSignatureError
        If it names too many or no subjects, or another key signed; nothing is kept then.
    """
    if not 0 < len(signed.subjects) <= MAX_SUBJECTS:
        raise InvalidInputError(f"A revocation names 1 to {MAX_SUBJECTS} subjects.")
    require_member(signed.consortium_id, organization_id)
    organization, subjects = uuid_to_bytes32(organization_id), list(signed.subjects)
    message = {"organization": organization, "epoch": signed.epoch, "seq": signed.seq, "subjects": subjects}
    digest = _require_signed(signed, organization_id, "RevokeConsents", message)
    row, is_new = RevocationEvent.objects.get_or_create(
        consortium_id=signed.consortium_id,
        organization_id=organization_id,
        message_digest=digest,
        defaults={"epoch": signed.epoch, "seq": signed.seq, "subjects": [to_hex(subject) for subject in subjects]},
    )
    if is_new:
        _attach(signed, organization_id)
        arguments = [organization, signed.epoch, signed.seq, subjects, signed.signature]
        key = f"revocation:{organization_id}:{signed.seq}:{digest}"
        _enqueue(signed, organization_id, "revokeConsents", arguments, key)
    return row


def _require_signed(
    signed: SignedEpoch | SignedRevocation, organization_id: UUID, primary: str, message: dict[str, object]
) -> str:
    if len(signed.withdrawals) > MAX_WITHDRAWALS:
        raise InvalidInputError(f"At most {MAX_WITHDRAWALS} withdrawals take effect by one message.")
    digest = require_anchor_signature(
        consortium_id=signed.consortium_id,
        organization_id=organization_id,
        primary=primary,
        message=message,
        signature=signed.signature,
    )
    return to_hex(digest)


def _attach(signed: SignedEpoch | SignedRevocation, organization_id: UUID) -> None:
    """Say by which entry of the chain these withdrawals take effect; an earlier, lost entry is overwritten."""
    WithdrawalEffect.objects.filter(
        withdrawal_id__in=list(signed.withdrawals),
        organization_id=organization_id,
        consortium_id=signed.consortium_id,
        block__isnull=True,
    ).update(epoch=signed.epoch, seq=signed.seq)


def _enqueue(
    signed: SignedEpoch | SignedRevocation, organization_id: UUID, function: str, arguments: list[object], key: str
) -> None:
    outbox.enqueue(
        consortium_id=signed.consortium_id,
        organization_id=organization_id,
        contract=CONTRACT,
        function=function,
        arguments=arguments,
        idempotency_key=key,
    )
