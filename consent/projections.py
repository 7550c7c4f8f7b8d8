"""What the ConsentAnchor's events make of epochs, revocations and withdrawals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Q

from audit.acts import Actor, Subject
from audit.recorder import Act, record, record_each_once
from consent.models import ConsentEpoch, RevocationEvent, Withdrawal, WithdrawalEffect
from consent.services.withdrawals import settle
from consortium.common.bulk import insert_many, update_many
from consortium.common.correlation import following
from consortium.kernel.identifiers import bytes32_to_uuid, to_hex
from contracts.events import ChainEvent
from contracts.models import OutboxTransaction
from contracts.outbox import on_outcome
from contracts.projections import Heard, projects_many
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


@projects_many("ConsentEpochAnchored", "ConsentsRevoked")
def consents_anchored(consortium_id: UUID, heard: Sequence[Heard]) -> None:
    """What sites anchored: a row is found by its content, since a message signed anew has the lost one's number."""
    asked = [AnchoredEvent(consortium_id, *one) for one in heard]
    for model in (ConsentEpoch, RevocationEvent):
        _confirm([one for one in asked if one.model is model])
    new = [one for one in asked if one.is_new]
    record_each_once([one.act() for one in new], consortium_id=consortium_id, actor=PROJECTOR)
    _confirm_withdrawals(consortium_id, new)


@on_outcome("epoch")
def epoch_outcome(transaction: OutboxTransaction) -> None:
    """An epoch that the chain refused is marked; the site signs another."""
    _mark_failed(ConsentEpoch, transaction)


@on_outcome("revocation")
def revocation_outcome(transaction: OutboxTransaction) -> None:
    """A revocation that the chain refused is marked; the site signs another."""
    _mark_failed(RevocationEvent, transaction)


@dataclass
class AnchoredEvent:
    """One event, the row that it confirms, and whether it does so for the first time."""

    consortium_id: UUID
    event: ChainEvent
    correlation_id: str | None
    row: ConsentEpoch | RevocationEvent | None = None
    is_new: bool = False

    @property
    def model(self) -> type[ConsentEpoch] | type[RevocationEvent]:
        return ConsentEpoch if self.event.name == "ConsentEpochAnchored" else RevocationEvent

    @cached_property
    def organization_id(self) -> UUID:
        return bytes32_to_uuid(self.event.arguments["organization"])

    @property
    def place(self) -> tuple[UUID, int, int]:
        return self.organization_id, self.event.arguments["seq"], self.event.arguments["epoch"]

    def values(self) -> dict[str, Any]:
        """The columns by which the row is known."""
        arguments = self.event.arguments
        names = {
            **{"consortium_id": self.consortium_id, "organization_id": self.organization_id},
            **{"epoch": arguments["epoch"], "seq": arguments["seq"]},
        }
        if self.model is RevocationEvent:
            return names | {"subjects": [to_hex(subject) for subject in arguments["subjects"]]}
        as_of = datetime.fromtimestamp(arguments["asOf"], UTC)
        return names | {"root": to_hex(arguments["root"]), "band": arguments["band"], "as_of": as_of}

    def act(self) -> Act:
        event, is_epoch = self.event, self.model is ConsentEpoch
        data = {"epoch": event.arguments["epoch"], "seq": event.arguments["seq"], "block": event.block_number}
        if is_epoch:
            data |= {"root": to_hex(event.arguments["root"]), "band": event.arguments["band"]}
        action = "consent.epoch.anchor" if is_epoch else "consent.revocation.anchor"
        subject = Subject("organization", str(self.organization_id))
        return Act(event.key, action, subject, data, self.correlation_id)


def _confirm(asked: Sequence[AnchoredEvent]) -> None:
    """Mark the rows, making those that are missing; an event that had marked its row already is nothing new."""
    if not asked:
        return
    model, made, known = asked[0].model, [], _rows_of(asked)
    for one in asked:
        values = one.values()
        row = next((row for row in known.get(one.place, []) if _has(row, values)), None)
        if row is None:
            row = model(**values)
            made.append(row)
            known.setdefault(one.place, []).append(row)
        confirmed = {"chain_state": "confirmed", "transaction_hash": to_hex(one.event.transaction_hash)}
        one.row, one.is_new = row, not _has(row, confirmed)
        for name, value in (confirmed | {"failure": "", "confirmed_block": one.event.block_number}).items():
            setattr(row, name, value)
    marked = {one.row.pk: one.row for one in asked if one.row is not None and not one.row._state.adding}
    update_many(list(marked.values()), ["chain_state", "transaction_hash", "failure", "confirmed_block"])
    insert_many(made)


def _rows_of(asked: Sequence[AnchoredEvent]) -> dict[tuple[UUID, int, int], list[Any]]:
    found = asked[0].model.objects.filter(
        consortium_id=asked[0].consortium_id,
        organization_id__in={one.organization_id for one in asked},
        seq__in={one.event.arguments["seq"] for one in asked},
    )
    rows: dict[tuple[UUID, int, int], list[Any]] = {}
    for row in found.select_for_update().order_by("created_at", "pk"):
        rows.setdefault((row.organization_id, row.seq, row.epoch), []).append(row)
    return rows


def _has(row: Any, values: Mapping[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in values.items())


def _confirm_withdrawals(consortium_id: UUID, asked: Sequence[AnchoredEvent]) -> None:
    """Let withdrawals take effect whose sites said that these entries hold them."""
    events = {one.place: one for one in asked}
    effects = WithdrawalEffect.objects.filter(
        Q(block__isnull=True),
        consortium_id=consortium_id,
        organization_id__in={one.organization_id for one in asked},
        seq__in={one.event.arguments["seq"] for one in asked},
    )
    for effect in effects.order_by("pk"):
        if (one := events.get((effect.organization_id, effect.seq or 0, effect.epoch or 0))) is not None:
            with following(one.correlation_id):
                _take_effect(effect, one.event)


def _take_effect(effect: WithdrawalEffect, event: ChainEvent) -> None:
    effect.block = event.block_number
    effect.save(update_fields=["block"])
    if (withdrawal := settle(effect.withdrawal_id)) is not None:
        place = {"epoch": event.arguments["epoch"], "seq": event.arguments["seq"], "block": event.block_number}
        record(
            action="consent.withdrawal.confirm",
            organization_id=withdrawal.organization_id,
            consortium_id=None,
            actor=PROJECTOR,
            subject=Subject("data_subject", withdrawal.pseudonym or str(withdrawal.pk)),
            data={"withdrawal": str(withdrawal.pk), **place},
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
