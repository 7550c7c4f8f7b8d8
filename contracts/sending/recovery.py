"""Is the node's chain the one that we know: behind it, ahead of it, or another that is shorter."""

import logging
from collections.abc import Sequence

from django.db.models import Q, QuerySet

from consortium.common.models import TransactionState
from contracts.chain import may_heal
from contracts.errors import ChainBehindError, ChainRewoundError
from contracts.events import BlockHeader
from contracts.interface import Chain
from contracts.models import OutboxTransaction
from contracts.sending.lanes import Lane

logger = logging.getLogger(__name__)

_MINED = Q(state=TransactionState.CONFIRMED) | Q(state=TransactionState.FAILED, block__isnull=False)


def recover(chain: Chain, lanes: Sequence[Lane]) -> BlockHeader:
    """Take back what a shorter development chain has forgotten; return the node's head.

    Raises
    ------
    ChainBehindError
        The node lags: it does not have a block yet that we have read. Nothing is changed.
    ChainRewoundError
        The node has the blocks, and mined transactions are not in them: on any chain but the development
        chain, where nothing is changed then.
    """
    known = max((_last_block(lane) for lane in lanes), default=0)
    # Asked after `known`: another dispatcher may see a newer block in between.
    head = chain.head()
    if may_heal(chain):
        for lane in lanes:
            _heal(lane)
    elif head.number < known:
        raise ChainBehindError(
            f"The node is at block {head.number}, and block {known} was read before. Nothing is sent until it has "
            "caught up; if it does not, is CHAIN_RPC_URL the right node, and does it follow its network?",
            block=head.number,
            known=known,
        )
    else:
        for lane in lanes:
            _ensure_mined(lane)
    return head


def _last_block(lane: Lane) -> int:
    mined = OutboxTransaction.objects.filter(sender=lane.address, nonce__isnull=False, block__isnull=False)
    return mined.order_by("-nonce").values_list("block", flat=True).first() or 0


def _heal(lane: Lane) -> None:
    number = _lost(lane).update(
        state=TransactionState.SUBMITTED,
        block=None,
        gas=None,
        error_code="",
        error_text="",
        broadcast_at=None,
        settled_at=None,
        outcome_delivered_at=None,
    )
    if number:
        logger.warning("The development chain came back shorter: %d transactions are sent again.", number)


def _ensure_mined(lane: Lane) -> None:
    if number := _lost(lane).count():
        raise ChainRewoundError(
            f"{number} mined transactions are not on the chain any more. Nothing is sent until an operator has "
            "looked: is CHAIN_RPC_URL the right node, and does it follow its network?",
            transactions=number,
        )


def _lost(lane: Lane) -> QuerySet[OutboxTransaction]:
    return OutboxTransaction.objects.filter(_MINED, sender=lane.address, nonce__gte=lane.mined_count())
