"""Empty transactions that use up a nonce whose own bytes are not mined, so that those behind it are."""

import logging

from django.db import transaction
from django.utils import timezone

from consortium.common.models import TransactionState
from contracts.errors import ChainError, KnownTransactionError
from contracts.models import OutboxTransaction
from contracts.models.outbox import FILLER
from contracts.sending.failures import fail
from contracts.sending.lanes import Lane
from contracts.sending.relays import SignedTransaction
from contracts.signing.errors import SignerError

logger = logging.getLogger(__name__)

# What the cheapest transaction costs: an empty one, to ourselves.
FILLER_GAS = 21_000


def replace_with_filler(lane: Lane, row: OutboxTransaction, error: ChainError) -> None:
    """Fail a row that no node will ever take, and store a filler for its nonce, or all later ones would wait for it.

    While the filler cannot be signed the row stays as it is, and is refused again at the next sending.
    """
    logger.error("The node refuses nonce %s of %s for good: %s", row.nonce, lane.address, error.message)
    try:
        _replace(lane, row, error)
    except SignerError as fault:
        logger.warning("No filler for nonce %s of %s is signed: %s", row.nonce, lane.address, fault.message)


def _replace(lane: Lane, row: OutboxTransaction, error: ChainError) -> None:
    with transaction.atomic():
        locked = lane.in_flight().select_for_update().filter(pk=row.pk, nonce=row.nonce).first()
        if lane.relay is None or locked is None or locked.nonce is None or locked.function == FILLER:
            return
        signed = _sign(lane, locked.nonce)
        refused_hash, nonce = locked.transaction_hash, locked.nonce
        locked.nonce, locked.raw, locked.sender, locked.transaction_hash = None, None, "", ""
        fail(locked, error)
        locked.save()
        OutboxTransaction.objects.create(
            consortium_id=locked.consortium_id,
            contract=locked.contract,
            function=FILLER,
            idempotency_key=f"{FILLER}:{refused_hash}",
            correlation_id=locked.correlation_id,
            state=TransactionState.SUBMITTED,
            submitted_at=timezone.now(),
            sender=lane.address,
            address=lane.address,
            nonce=nonce,
            raw=signed.raw,
            transaction_hash="0x" + signed.hash.hex(),
        )


def push_out(lane: Lane, oldest: OutboxTransaction, nonce: int) -> bool:
    """Offer the node a filler for the next nonce to be mined, which keeps the oldest row waiting.

    Mostly it is that row's own: the row stays under way, one of the two is mined, and the settlement
    sees which. The filler needs no row, since signing it again gives the same bytes. Returns whether
    the node has it.
    """
    is_oldest = not lane.in_flight().filter(nonce__lt=oldest.nonce).exists()
    if lane.relay is None or not is_oldest:
        return False
    try:
        filler = _sign(lane, nonce)
    except SignerError as fault:
        logger.warning("No filler for nonce %s of %s is signed: %s", nonce, lane.address, fault.message)
        return False
    (answer,) = lane.chain.send_raw_many([filler.raw])
    if isinstance(answer, ChainError) and not isinstance(answer, KnownTransactionError):
        logger.warning("No filler takes nonce %s of %s: %s", nonce, lane.address, answer.message)
        return False
    if oldest.nonce == nonce:
        OutboxTransaction.objects.filter(pk=oldest.pk).update(broadcast_at=timezone.now())
    return True


def _sign(lane: Lane, nonce: int) -> SignedTransaction:
    if lane.relay is None:
        raise RuntimeError(f"the key of {lane.address} is not here")
    return lane.relay.sign(to=lane.address, data=b"", nonce=nonce, gas=FILLER_GAS, chain_id=lane.chain.chain_id)
