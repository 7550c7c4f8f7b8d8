"""Anchoring: a checkpoint with enough co-signatures is sent to the chain, and what the chain holds is read back."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from audit.log.errors import CosignatureError
from audit.log.pacing import freshly_anchored_logs
from audit.models import Anchor, AuditLog, Checkpoint
from consortium.common.models import TransactionState
from consortium.common.tenancy import act_for_all
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32
from contracts.events import ChainEvent
from contracts.models import ChainEventRecord, OutboxTransaction
from contracts.outbox import enqueue, on_outcome

CONTRACT = "AuditAnchor"
EVENT = "CheckpointAnchored"
_INTENT = "audit_anchor"


@dataclass(frozen=True, slots=True)
class AnchoredRoot:
    """What the chain holds of a log: nobody of ours can change it any more."""

    size: int
    root: bytes
    block: int


def enqueue_anchor(checkpoint: Checkpoint, *, quorum: int) -> Anchor:
    """Ask for the anchoring of a checkpoint; asked again, it returns the anchor that is there.

    `quorum` is the registry's number of witnesses.

    Raises
    ------
    CosignatureError
        If too few organizations have co-signed, or nobody's chain is to anchor it; nothing is sent.
    """
    with transaction.atomic(), act_for_all():
        witnesses = _witnesses(checkpoint)
        if checkpoint.consortium_id is None or len(witnesses) < quorum:
            raise CosignatureError(
                f"The checkpoint has {len(witnesses)} co-signatures in its consortium; it needs {quorum}."
            )
        anchor, _ = Anchor.objects.get_or_create(checkpoint=checkpoint)
        # Witnesses may have come since: what was asked for stays what is sent.
        if anchor.chain_state != TransactionState.RECORDED or _is_asked(checkpoint):
            return anchor
        enqueue(
            consortium_id=checkpoint.consortium_id,
            contract=CONTRACT,
            function="anchor",
            arguments=[checkpoint.name_on_chain, checkpoint.size, bytes(checkpoint.root), witnesses],
            idempotency_key=_intent(checkpoint),
        )
        return anchor


def anchor_due(consortium_id: UUID, *, quorum: int) -> list[Anchor]:
    """Ask for the anchoring of each log's last checkpoint that has enough co-signatures and no anchor yet.

    A log that was anchored within `AUDIT_ANCHOR_SECONDS` waits.
    """
    with transaction.atomic(), act_for_all():
        fresh = freshly_anchored_logs(consortium_id)
        of_consortium = Checkpoint.objects.filter(consortium_id=consortium_id)
        cosigned = of_consortium.annotate(witnesses=Count("cosignatures")).filter(witnesses__gte=quorum)
        due = Checkpoint.objects.filter(pk__in=cosigned.values("pk")).order_by("log_id", "-size").distinct("log_id")
        return [
            enqueue_anchor(checkpoint, quorum=quorum)
            for checkpoint in due
            if checkpoint.log_id not in fresh and not Anchor.objects.filter(checkpoint=checkpoint).exists()
        ]


@on_outcome(_INTENT)
def settle_anchor(sent: OutboxTransaction) -> None:
    """Write down what became of an anchoring."""
    Anchor.objects.filter(checkpoint_id=sent.idempotency_key.partition(":")[2]).update(
        chain_state=sent.state, confirmed_block=sent.block, transaction_hash=sent.transaction_hash
    )


def anchored_roots(log: AuditLog) -> list[AnchoredRoot]:
    """Return what the chain's stored events say of a log, in the order of the chain."""
    found = ChainEventRecord.objects.filter(
        contract=CONTRACT, name=EVENT, arguments__log__bytes=to_hex(log.name_on_chain)
    )
    return roots_in(log, (row.event for row in found.order_by("block_number", "log_index")))


def roots_in(log: AuditLog, events: Iterable[ChainEvent]) -> list[AnchoredRoot]:
    """Return what these events, read from a node or stored, say of a log."""
    return [
        AnchoredRoot(event.arguments["size"], event.arguments["root"], event.block_number)
        for event in events
        if event.name == EVENT and event.arguments["log"] == log.name_on_chain
    ]


def _witnesses(checkpoint: Checkpoint) -> list[dict[str, bytes]]:
    """Return the contract's Witness structs, in a fixed order so that asking again asks for the same call."""
    return [
        {"organization": uuid_to_bytes32(row.organization_id), "signature": bytes(row.signature)}
        for row in checkpoint.cosignatures.order_by("organization_id")
    ]


def _is_asked(checkpoint: Checkpoint) -> bool:
    return OutboxTransaction.objects.filter(idempotency_key=_intent(checkpoint)).exists()


def _intent(checkpoint: Checkpoint) -> str:
    return f"{_INTENT}:{checkpoint.pk}"
