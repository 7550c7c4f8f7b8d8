"""Stored bytes are handed to the node, in batches and in the order of their nonces, as often as it takes."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from contracts.errors import (
    ChainError,
    ChainRequestError,
    GasLimitError,
    KnownTransactionError,
    NonceTooLowError,
    ReplacementUnderpricedError,
    SenderNotAuthorizedError,
)
from contracts.interface import MAX_BATCH
from contracts.models import OutboxTransaction, StuckCode
from contracts.sending.fillers import push_out, replace_with_filler
from contracts.sending.lanes import MAX_IN_FLIGHT, Lane

logger = logging.getLogger(__name__)

# A node that was restarted has lost its pool; blocks come every second.
REBROADCAST_SECONDS = 5.0
# The node has these bytes, in its pool or mined: whether as these very bytes, the settlement finds out by their hash.
_HAS_THEM = (KnownTransactionError, NonceTooLowError)


def due(lane: Lane, *, now_seconds: float = REBROADCAST_SECONDS) -> list[OutboxTransaction]:
    """The rows under way that were never sent, or not within the last seconds, by nonce.

    None is further ahead than a pool takes, also where the node is behind. The oldest of a lane that
    stands still is left out, if the node takes a filler in its place.
    """
    before = timezone.now() - timedelta(seconds=now_seconds)
    found = lane.in_flight().filter(Q(broadcast_at__isnull=True) | Q(broadcast_at__lt=before))
    if not (rows := list(found.order_by("nonce")[:MAX_IN_FLIGHT])):
        return []
    count = lane.mined_count()
    rows = [row for row in rows if (row.nonce or 0) < count + MAX_IN_FLIGHT]
    if rows and lane.stuck_code() == StuckCode.NOT_MINED and push_out(lane, rows[0], count):
        rows = [row for row in rows if row.nonce != count]
    return rows


def broadcast(lane: Lane, rows: Sequence[OutboxTransaction]) -> int:
    """Send the rows' bytes; return how many the node has now.

    Stops with the first batch in which one is refused: the node goes on behind it, so that a gap is in
    its pool, and the next pass sends from the refused one on, in order. Faults of the node are the
    caller's; nothing is lost by them.

    Raises
    ------
    SenderNotAuthorizedError
        The account may not send; the lane is marked as stuck.
    """
    sent = 0
    for batch in batches(rows):
        taken = begin(lane, batch).finish()
        sent += taken
        if taken < len(batch):
            break
    return sent


def batches(rows: Sequence[OutboxTransaction]) -> list[Sequence[OutboxTransaction]]:
    """The rows in pieces of one request each."""
    return [rows[first : first + MAX_BATCH] for first in range(0, len(rows), MAX_BATCH)]


@dataclass(frozen=True)
class Broadcast:
    """A batch on its way to the node."""

    lane: Lane
    rows: Sequence[OutboxTransaction]
    answers: Future[list[bytes | ChainError]]

    def finish(self) -> int:
        """Wait for the answers and note them; return how many rows were taken before the first refusal."""
        answers = self.answers.result()
        self.lane.at("sent")
        pairs = zip(self.rows, answers, strict=True)
        refusal = next(((index, row, said) for index, (row, said) in enumerate(pairs) if _refuses(said)), None)
        taken = self.rows if refusal is None else self.rows[: refusal[0]]
        OutboxTransaction.objects.filter(pk__in=[row.pk for row in taken]).update(broadcast_at=timezone.now())
        self.lane.at("noted")
        if refusal is not None:
            _face(self.lane, *refusal[1:])
        return len(taken)


def begin(lane: Lane, rows: Sequence[OutboxTransaction]) -> Broadcast:
    """Hand a batch over in the background; the next one of this lane is begun when this one is finished."""
    lane.at("sending")
    raws = [bytes(row.raw or b"") for row in rows]
    return Broadcast(lane, rows, lane.background.submit(lane.chain.send_raw_many, raws))


def _refuses(answer: bytes | ChainError) -> bool:
    return isinstance(answer, ChainError) and not isinstance(answer, _HAS_THEM)


def _face(lane: Lane, row: OutboxTransaction, refusal: bytes | ChainError) -> None:
    """What a refusal means for the lane; what needs a person is raised."""
    match refusal:
        case ReplacementUnderpricedError():
            lane.mark_stuck(StuckCode.NONCE_HELD, f"Nonce {row.nonce} is held by a transaction that is not ours.")
        case SenderNotAuthorizedError():
            lane.mark_stuck(StuckCode.NOT_AUTHORIZED, refusal.message)
            raise refusal
        case ChainRequestError() | GasLimitError() if row.broadcast_at is None:
            replace_with_filler(lane, row, refusal)
        case ChainError(retryable=True) | ChainRequestError() | GasLimitError():
            # Too far ahead, an error of this request alone, or bytes that a node has taken before and may
            # still have mined: from here on again in the next pass.
            logger.warning("Sending of %s stopped at nonce %s: %s", lane.address, row.nonce, refusal.message)
        case ChainError():
            raise refusal
