"""Reading a consortium's events from its cursor on: stored as they are, in the order of the chain, once."""

import logging
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from consortium.common.api import ensure_atomic
from contracts.chain import may_heal
from contracts.errors import ChainError, ChainRewoundError, UnknownSchemaError
from contracts.events import BlockHeader
from contracts.interface import Chain
from contracts.models import AppliedMark, ChainCursor, ChainEventRecord, ContractDeployment
from contracts.reading.proof_keeping import capture_seen, drop_above
from contracts.reading.storing import store

logger = logging.getLogger(__name__)

# So many blocks are read and stored in one transaction: what is stored then is applied while the next ones are read.
WINDOW_BLOCKS = 1_000
# The projector listens here; it is told when a stream begins.
CHANNEL = "consilium_projector"


def start_projection(consortium_id: UUID) -> ChainCursor:
    """Let the projector read a consortium from the block of its first contract; asked again, also a later one's.

    Called when all contracts of the consortium are known: an event is read with the cursor or never.
    """
    ensure_atomic()
    blocks = list(ContractDeployment.objects.filter(consortium_id=consortium_id).values_list("block", flat=True))
    first = min(blocks)
    cursor, is_new = ChainCursor.objects.select_for_update().get_or_create(
        consortium_id=consortium_id, defaults={"first_block": first, "position": first - 1}
    )
    AppliedMark.objects.get_or_create(consortium_id=consortium_id)
    if not is_new:
        _read_from(cursor, min(max(blocks) - 1, cursor.position))
    with connection.cursor() as notifier:
        notifier.execute(f"NOTIFY {CHANNEL}")
    return cursor


def read_window(chain: Chain, consortium_id: UUID) -> bool:
    """Store the next window of a consortium's events; return whether there may be more.

    A window is one node's: what is not above that node's own head, and a request that fails ends it, stored and
    moved on nothing. The gateway turns to another node only then.

    Raises
    ------
    ChainRewoundError
        If blocks that were read are gone, on any chain but the development chain; the cursor stays and
        says so.
    UnknownSchemaError
        If a contract's events have a form that is not known here; likewise.
    """
    with transaction.atomic():
        cursor = _lock(consortium_id)
        if cursor is None:
            return False
        try:
            head = chain.head()
            _check_block(chain, cursor, head)
            return _read(chain, cursor, head)
        except (ChainRewoundError, UnknownSchemaError) as error:
            alarm = error
            _halt(cursor, alarm)
    raise alarm


def _lock(consortium_id: UUID) -> ChainCursor | None:
    """The cursor, unless another projector works on it."""
    return ChainCursor.objects.select_for_update(skip_locked=True).filter(pk=consortium_id).first()


def _halt(cursor: ChainCursor, alarm: ChainError) -> None:
    """Keep the reason where health checks find it; said in the log once, not at each pass."""
    if cursor.halted_text != alarm.message:
        logger.error("%s: consortium %s is not read on. %s", alarm.code, cursor.pk, alarm.message)
        ChainCursor.objects.filter(pk=cursor.pk).update(halted_text=alarm.message)


def _read(chain: Chain, cursor: ChainCursor, head: BlockHeader) -> bool:
    first, last = cursor.position + 1, min(cursor.position + WINDOW_BLOCKS, head.number)
    if first > last:
        ChainCursor.objects.filter(pk=cursor.pk).update(read_at=timezone.now(), halted_text="")
        return False
    deployments = ContractDeployment.objects.filter(consortium_id=cursor.consortium_id)
    events = chain.logs([deployment.reference for deployment in deployments], first, last)
    end = chain.block(last)
    if end is None:
        # The chain was cut while it was read; the next pass sees how short it is.
        return False
    store(cursor.consortium_id, events, applied=_applied_among(cursor.consortium_id, first))
    capture_seen(chain, cursor, events, first=first)
    cursor.position, cursor.block_hash, cursor.read_at, cursor.halted_text = last, end.hash, timezone.now(), ""
    cursor.save()
    return last < head.number


def _applied_among(consortium_id: UUID, first: int) -> tuple[int, int]:
    """The place up to which events are applied: what is stored behind it from now on is late.

    Where blocks from `first` on were read before, nobody applies events until this transaction ends: the mark must
    not pass what it does not see.
    """
    known = ChainEventRecord.objects.filter(consortium_id=consortium_id, block_number__gte=first)
    marks = AppliedMark.objects.select_for_update() if known.exists() else AppliedMark.objects
    return marks.get(pk=consortium_id).place


def _check_block(chain: Chain, cursor: ChainCursor, head: BlockHeader) -> None:
    """Make sure that the last block read is still there; rewind the development chain's cursor if it is not."""
    if not cursor.block_hash or _is_there(chain, head, cursor.position, bytes(cursor.block_hash)):
        return
    if not may_heal(chain):
        raise ChainRewoundError(
            f"Block {cursor.position} is not what was read before (the node's head is {head.number}). Nothing is read "
            "until an operator has looked: is CHAIN_RPC_URL the right node, and does it follow its network?",
            consortium=str(cursor.consortium_id),
            block=cursor.position,
        )
    _rewind(chain, cursor, head)


def _rewind(chain: Chain, cursor: ChainCursor, head: BlockHeader) -> None:
    common = _common_block(chain, cursor, head)
    logger.warning("The development chain was cut: consortium %s is read again from %d.", cursor.pk, common + 1)
    events = ChainEventRecord.objects.filter(consortium_id=cursor.consortium_id)
    mark = AppliedMark.objects.select_for_update().get(pk=cursor.consortium_id)
    events.filter(block_number__gt=common).delete()
    if mark.block_number > common:
        AppliedMark.objects.filter(pk=mark.pk).update(block_number=common + 1, log_index=AppliedMark.NOWHERE)
    drop_above(cursor.consortium_id, common)
    _read_from(cursor, common)
    known = chain.block(common) if common >= cursor.first_block else None
    cursor.block_hash = known.hash if known is not None else b""
    cursor.save(update_fields=["block_hash"])


def _common_block(chain: Chain, cursor: ChainCursor, head: BlockHeader) -> int:
    """The last block with events of ours that is still the same; the one before the first contract if none is."""
    known = ChainEventRecord.objects.filter(consortium_id=cursor.consortium_id, block_number__lte=head.number)
    blocks = known.order_by("-block_number").values_list("block_number", "block_hash").distinct()
    for number, block_hash in blocks.iterator():
        if _is_there(chain, head, number, bytes.fromhex(block_hash[2:])):
            return int(number)
    return cursor.first_block - 1


def _is_there(chain: Chain, head: BlockHeader, number: int, block_hash: bytes) -> bool:
    found = chain.block(number) if number <= head.number else None
    return found is not None and found.hash == block_hash


def _read_from(cursor: ChainCursor, position: int) -> None:
    """Set the cursor back; without a hash, since the block there may hold no event of ours."""
    cursor.position, cursor.block_hash = position, b""
    cursor.first_block = min(cursor.first_block, position + 1)
    cursor.save()
