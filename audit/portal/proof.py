"""What proves a report: the checkpoint that it ends with, who co-signed it, and the anchor on the members' chain."""

from dataclasses import dataclass

from audit.log.anchors import CONTRACT, EVENT
from audit.models import Anchor, Bundle, Checkpoint
from consortium.kernel.identifiers import to_hex
from contracts.models import ChainEventRecord


@dataclass(frozen=True, slots=True)
class Proof:
    """The log up to the bundle's checkpoint; without an anchor it is signed, and not on the chain yet."""

    origin: str
    size: int
    root: str
    anchored: int | None
    block: int | None
    transaction: str
    witnesses: int

    @property
    def waiting(self) -> int:
        """Records that no anchor covers."""
        return self.size - (self.anchored or 0)


def proof_of(bundle: Bundle) -> Proof | None:
    """Return what stood at the bundle's checkpoint, with the last anchor up to it."""
    checkpoint = bundle.checkpoint
    if checkpoint is None:
        return None
    anchor = _last_anchor(bundle, checkpoint)
    covered = anchor.checkpoint if anchor else None
    return Proof(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=to_hex(bytes(checkpoint.root)),
        anchored=covered.size if covered else None,
        block=anchor.confirmed_block if anchor else None,
        transaction=anchor.transaction_hash if anchor else "",
        witnesses=_witnesses(anchor) if anchor else 0,
    )


def _witnesses(anchor: Anchor) -> int:
    """How many signatures the chain counted; more may have come in since."""
    events = ChainEventRecord.objects.filter(contract=CONTRACT, name=EVENT, transaction_hash=anchor.transaction_hash)
    row = events.first()
    return len(row.event.arguments["witnesses"]) if row else 0


def _last_anchor(bundle: Bundle, checkpoint: Checkpoint) -> Anchor | None:
    """The last one that the bundle could hold: confirmed in a block that had been read when it was made."""
    confirmed = Anchor.objects.filter(
        checkpoint__log_id=checkpoint.log_id,
        checkpoint__size__lte=checkpoint.size,
        chain_state="confirmed",
        confirmed_block__lte=bundle.through_block or 0,
    )
    return confirmed.select_related("checkpoint").order_by("-checkpoint__size").first()
