"""Which blocks' proofs are kept, captured when their events are read and tried again where a node had them not.

Nodes prune the state of old blocks, so what a bundle will have to show is asked for in the pass that sees the event.
A node that cannot give it stops no stream: the block's row says why, and a sweep asks the other nodes. The development
chain has no seals, and its one node keeps everything: nothing is captured there, and it costs nothing.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, TypeGuard
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from consortium.common import heartbeat
from consortium.kernel.errors import ConsiliumError
from contracts.chain import may_heal
from contracts.events import ChainEvent, ContractReference
from contracts.interface import Chain, ProvingChain
from contracts.models import BlockProof, ChainCursor, ChainEventRecord, ContractDeployment
from contracts.reading.capturing import GENESIS, Captured, WantedBlock, capture
from contracts.reading.genesis_state import prove_genesis
from contracts.reading.validator_sets import CONTRACT, REPLACED

logger = logging.getLogger(__name__)

ANCHORED = ("AuditAnchor", "CheckpointAnchored")
PROVEN_EVENTS = frozenset({(CONTRACT, REPLACED), ANCHORED})
# So many in the pass that reads a window; a long history's are left to the sweep, so that the stream goes on.
CAPTURED_WITH_WINDOW = 20
SWEPT_TOGETHER = 50
FIRST_PAUSE = timedelta(minutes=1)
MAX_PAUSE = timedelta(hours=1)


@dataclass
class SweepReport:
    """What one sweep did; `missing` are the blocks that it asked for in vain."""

    captured: int = 0
    missing: int = 0


def gives_proofs(chain: Chain) -> TypeGuard[ProvingChain]:
    """Whether blocks of this chain are to be proven, and the door to it can ask for what that takes."""
    return not may_heal(chain) and isinstance(chain, ProvingChain)


def capture_seen(chain: Chain, cursor: ChainCursor, events: Iterable[ChainEvent], *, first: int) -> None:
    """Keep what the events of a window from block `first` on need; they are stored, in this transaction.

    The node in use is asked, and the first fault of it leaves the rest to the sweep.
    """
    if not gives_proofs(chain):
        return
    numbers = {event.block_number for event in events if (event.contract, event.name) in PROVEN_EVENTS}
    if first == cursor.first_block and genesis_source(cursor.consortium_id) is not None:
        numbers.add(GENESIS)
    if not numbers:
        return
    _note(cursor.consortium_id, numbers)
    waiting = _waiting(cursor.consortium_id).filter(block_number__in=numbers)
    for proof in waiting.select_for_update(skip_locked=True)[:CAPTURED_WITH_WINDOW]:
        if not _try(chain, proof, [None]):
            return


def sweep_proofs(chain: Chain, *, with_history: bool = False, at_once: bool = False) -> SweepReport:
    """Ask every node for what is missing and due, a few blocks of each consortium; as the system's database role.

    Parameters
    ----------
    with_history : also note the blocks of events that were read before proofs were kept
    at_once : ask for all that is missing, due or not
    """
    report = SweepReport()
    if not gives_proofs(chain):
        return report
    for consortium_id in ChainCursor.objects.order_by("pk").values_list("pk", flat=True):
        if with_history:
            note_history(consortium_id)
        due = _due(consortium_id, at_once=at_once)
        for proof_id in due.values_list("pk", flat=True)[: None if at_once else SWEPT_TOGETHER]:
            heartbeat.beat()
            _sweep_one(chain, due.filter(pk=proof_id), report)
    return report


def keep_genesis(chain: ProvingChain, document: Mapping[str, Any]) -> None:
    """Keep block 0 as the genesis file proves it, for every consortium whose validators' list it holds.

    Raises
    ------
    GenesisMismatchError
        If the file is not this chain's; nothing is kept.
    ChainError
        If the node does not answer.
    """
    for consortium_id in ChainCursor.objects.order_by("pk").values_list("pk", flat=True):
        if (source := genesis_source(consortium_id)) is not None:
            _note(consortium_id, [GENESIS])
            waiting = _waiting(consortium_id).filter(block_number=GENESIS)
            waiting.update(**_kept(prove_genesis(chain, document, source.address)))


def note_history(consortium_id: UUID) -> None:
    """Note every block of the stored events whose proof is not kept yet."""
    wanted = [Q(contract=contract, name=name) for contract, name in PROVEN_EVENTS]
    stored = ChainEventRecord.objects.filter(wanted[0] | wanted[1], consortium_id=consortium_id)
    numbers = set(stored.order_by().values_list("block_number", flat=True).distinct())
    if genesis_source(consortium_id) is not None:
        numbers.add(GENESIS)
    known = BlockProof.objects.filter(consortium_id=consortium_id)
    _note(consortium_id, numbers.difference(known.values_list("block_number", flat=True)))


def genesis_source(consortium_id: UUID) -> ContractReference | None:
    """The ValidatorSource that QBFT asks: one of the genesis block. Another one says nothing of who seals blocks."""
    found = ContractDeployment.objects.filter(consortium_id=consortium_id, name=CONTRACT, block=GENESIS).first()
    return None if found is None else found.reference


def drop_above(consortium_id: UUID, block: int) -> None:
    """Forget what was captured of blocks that are gone."""
    BlockProof.objects.filter(consortium_id=consortium_id, block_number__gt=block).delete()


def wanted_block(consortium_id: UUID, number: int) -> WantedBlock:
    """What is to be proven of a block, as the stored events say."""
    stored = ChainEventRecord.objects.filter(consortium_id=consortium_id, block_number=number)
    rows = list(stored.values_list("contract", "name", "transaction_hash", "block_hash"))
    return WantedBlock(
        number,
        hash=rows[0][3] if rows else "",
        transactions={transaction for contract, name, transaction, _ in rows if (contract, name) == ANCHORED},
        source=genesis_source(consortium_id),
    )


def _note(consortium_id: UUID, numbers: Iterable[int]) -> None:
    """Idempotent: whoever notes a block second changes nothing."""
    rows = [BlockProof(consortium_id=consortium_id, block_number=number) for number in sorted(numbers)]
    BlockProof.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)


def _waiting(consortium_id: UUID) -> QuerySet[BlockProof]:
    return BlockProof.objects.filter(consortium_id=consortium_id, captured_at__isnull=True).order_by("block_number")


def _due(consortium_id: UUID, *, at_once: bool) -> QuerySet[BlockProof]:
    waiting = _waiting(consortium_id)
    return waiting if at_once else waiting.filter(Q(retry_at__isnull=True) | Q(retry_at__lte=timezone.now()))


def _sweep_one(chain: ProvingChain, due: QuerySet[BlockProof], report: SweepReport) -> None:
    with transaction.atomic():
        proof = due.select_for_update(skip_locked=True).first()
        if proof is None:
            # Another sweep is at it, or was: captured, or put off, since this one looked what is due.
            return
        if _try(chain, proof, range(chain.node_count)):
            report.captured += 1
        else:
            report.missing += 1


def _try(chain: ProvingChain, proof: BlockProof, nodes: Iterable[int | None]) -> bool:
    """Ask one node after another until one gives everything; keep it, or why none did."""
    wanted, faults = wanted_block(proof.consortium_id, proof.block_number), []
    for place in nodes:
        try:
            with chain.one_node(place):
                found = capture(chain, wanted)
        except ConsiliumError as error:
            faults.append(error.message)
            continue
        BlockProof.objects.filter(pk=proof.pk).update(**_kept(found))
        return True
    _put_off(proof, " ".join(dict.fromkeys(faults)))
    return False


def _kept(found: Captured) -> dict[str, Any]:
    return {**asdict(found), "captured_at": timezone.now(), "retry_at": None, "missing_text": ""}


def _put_off(proof: BlockProof, text: str) -> None:
    if proof.missing_text != text:
        logger.warning("The proof of %s is missing: %s", proof, text)
    pause = min(FIRST_PAUSE * 2 ** min(proof.attempts, 10), MAX_PAUSE)
    BlockProof.objects.filter(pk=proof.pk).update(
        attempts=proof.attempts + 1, retry_at=timezone.now() + pause, missing_text=text
    )
