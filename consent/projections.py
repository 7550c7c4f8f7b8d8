"""What the ConsentAnchor's events make of epochs, revocations and withdrawals."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from audit.acts import Actor, Subject
from audit.recorder import record
from consent.models import ConsentEpoch, RevocationEvent, Withdrawal, WithdrawalEffect
from consent.services.withdrawals import settle
from consortium.kernel.identifiers import bytes32_to_uuid, to_hex
from contracts.events import ChainEvent
from contracts.models import OutboxTransaction
from contracts.outbox import on_outcome
from contracts.projector import projects
from contracts.reading.read_models import CHAIN_BACKED, read_model, scratch

PROJECTOR = Actor.system("projector")
_ANCHORED = CHAIN_BACKED | {"failure": "CASE chain_state WHEN 'confirmed' THEN '' ELSE failure END"}
_NAMES = ("consortium_id", "organization_id", "epoch", "seq")
_OURS = dict.fromkeys(_NAMES, "names the row") | {
    "created_at": "our clock",
    "message_digest": "what the site signed, which the event does not repeat",
}
read_model(ConsentEpoch, before=_ANCHORED, ours=_OURS | dict.fromkeys(("root", "band", "as_of"), "names the row"))
read_model(RevocationEvent, before=_ANCHORED, ours=_OURS | {"subjects": "names the row"})
read_model(
    WithdrawalEffect,
    # An erased subject's effects name no entry of the chain any more: they stay as they are.
    before={"block": "CASE WHEN seq IS NULL THEN block END"},
    ours={
        "created_at": "our clock",
        "withdrawal_id": "names the row",
        "organization_id": "the withdrawal's",
        "consortium_id": "names the row",
        "epoch": "the site's message says by which entry it holds",
        "seq": "the site's message says by which entry it holds",
    },
)
read_model(
    Withdrawal,
    before={
        "state": "CASE WHEN state = 'confirmed' AND EXISTS (SELECT 1 FROM public.consent_withdrawaleffect AS effect "
        "WHERE effect.withdrawal_id = consent_withdrawal.id AND effect.seq IS NOT NULL) THEN 'received' ELSE state END"
    },
    ours={
        "created_at": "our clock",
        "confirmed_at": "our clock",
        **dict.fromkeys(("organization_id", "pseudonym", "consent_ids", "reason", "origin"), "asked for here"),
        **dict.fromkeys(("received_at", "receipt", "receipt_digest", "receipt_signature"), "the site's receipt"),
    },
)
scratch(OutboxTransaction, "what decisions ask for is asked for once, and requests are found by their transactions")


@projects("ConsentEpochAnchored")
def epoch_anchored(consortium_id: UUID, event: ChainEvent) -> None:
    arguments = event.arguments
    values = {
        **{"root": to_hex(arguments["root"]), "band": arguments["band"]},
        "as_of": datetime.fromtimestamp(arguments["asOf"], UTC),
    }
    # By its content: an epoch signed anew has the number of the one that was lost.
    row = ConsentEpoch.objects.filter(**_names(consortium_id, event), **values).first()
    row = row or ConsentEpoch(**_names(consortium_id, event), **values)
    if _confirm(row, event):
        _record(row, "consent.epoch.anchor", root=row.root, band=row.band)
        _confirm_withdrawals(consortium_id, event)


@projects("ConsentsRevoked")
def consents_revoked(consortium_id: UUID, event: ChainEvent) -> None:
    subjects = [to_hex(subject) for subject in event.arguments["subjects"]]
    row = RevocationEvent.objects.filter(**_names(consortium_id, event), subjects=subjects).first()
    row = row or RevocationEvent(**_names(consortium_id, event), subjects=subjects)
    if _confirm(row, event):
        _record(row, "consent.revocation.anchor")
        _confirm_withdrawals(consortium_id, event)


@on_outcome("epoch")
def epoch_outcome(transaction: OutboxTransaction) -> None:
    """An epoch that the chain refused is marked; the site signs another."""
    _mark_failed(ConsentEpoch, transaction)


@on_outcome("revocation")
def revocation_outcome(transaction: OutboxTransaction) -> None:
    """A revocation that the chain refused is marked; the site signs another."""
    _mark_failed(RevocationEvent, transaction)


def _names(consortium_id: UUID, event: ChainEvent) -> dict[str, Any]:
    return {
        "consortium_id": consortium_id,
        "organization_id": bytes32_to_uuid(event.arguments["organization"]),
        "epoch": event.arguments["epoch"],
        "seq": event.arguments["seq"],
    }


def _confirm(row: ConsentEpoch | RevocationEvent, event: ChainEvent) -> bool:
    """Mark the row; return False if this very event had marked it."""
    known = (row.chain_state, row.transaction_hash)
    row.chain_state, row.failure = "confirmed", ""
    row.confirmed_block, row.transaction_hash = event.block_number, to_hex(event.transaction_hash)
    row.save()
    return known != ("confirmed", row.transaction_hash)


def _confirm_withdrawals(consortium_id: UUID, event: ChainEvent) -> None:
    names = _names(consortium_id, event)
    effects = WithdrawalEffect.objects.filter(
        Q(block__isnull=True),
        consortium_id=consortium_id,
        organization_id=names["organization_id"],
        seq=names["seq"],
        epoch=names["epoch"],
    )
    for effect in effects.order_by("pk"):
        effect.block = event.block_number
        effect.save(update_fields=["block"])
        if (withdrawal := settle(effect.withdrawal_id)) is not None:
            record(
                action="consent.withdrawal.confirm",
                organization_id=withdrawal.organization_id,
                consortium_id=None,
                actor=PROJECTOR,
                subject=Subject("data_subject", withdrawal.pseudonym or str(withdrawal.pk)),
                data={
                    "withdrawal": str(withdrawal.pk),
                    **{"epoch": names["epoch"], "seq": names["seq"], "block": event.block_number},
                },
            )


def _record(row: ConsentEpoch | RevocationEvent, action: str, **data: object) -> None:
    record(
        action=action,
        organization_id=None,
        consortium_id=row.consortium_id,
        actor=PROJECTOR,
        subject=Subject("organization", str(row.organization_id)),
        data={"epoch": row.epoch, "seq": row.seq, "block": row.confirmed_block, **data},
    )


def _mark_failed(model: type[ConsentEpoch] | type[RevocationEvent], transaction: OutboxTransaction) -> None:
    if transaction.state != "failed" or transaction.organization_id is None:
        return
    rows = model.objects.filter(
        consortium_id=transaction.consortium_id,
        organization_id=transaction.organization_id,
        message_digest=transaction.idempotency_key.rpartition(":")[2],
    )
    rows.exclude(chain_state="confirmed").update(chain_state="failed", failure=transaction.error_code[:100])
