"""Stored bytes are handed to the node, in the order of their nonces, as often as it takes."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from consortium.common.models import TransactionState
from contracts.errors import (
    ChainRequestError,
    GasLimitError,
    KnownTransactionError,
    NonceTooDistantError,
    NonceTooLowError,
    ReplacementUnderpricedError,
)
from contracts.interface import Chain
from contracts.models import OutboxTransaction
from contracts.models.outbox import FILLER
from contracts.relay import Relay
from contracts.sending.claims import MAX_IN_FLIGHT, Hook, fail

logger = logging.getLogger(__name__)

# A node that was restarted has lost its pool; blocks come every second.
REBROADCAST_SECONDS = 5.0
# What the cheapest transaction costs: an empty one, to ourselves.
FILLER_GAS = 21_000


def due(relay: Relay, *, now_seconds: float = REBROADCAST_SECONDS) -> list[OutboxTransaction]:
    """The rows under way that were never sent, or not within the last seconds, by nonce."""
    before = timezone.now() - timedelta(seconds=now_seconds)
    rows = OutboxTransaction.objects.filter(
        Q(broadcast_at__isnull=True) | Q(broadcast_at__lt=before),
        state=TransactionState.SUBMITTED,
        sender=relay.address,
    )
    return list(rows.order_by("nonce")[:MAX_IN_FLIGHT])


def broadcast(chain: Chain, relay: Relay, rows: Sequence[OutboxTransaction], at: Hook) -> int:
    """Send the rows' bytes; return how many the node has now.

    Stops at the first nonce that is too far ahead: the node would take later ones again after a
    block, and a gap would stay. Faults of the node are the caller's; nothing is lost by them.
    """
    sent = 0
    for row in rows:
        at("sending")
        try:
            chain.send_raw(bytes(row.raw or b""))
        except KnownTransactionError:
            logger.debug("The node has nonce %s already.", row.nonce)
        except NonceTooLowError:
            # Mined already, most likely as these very bytes: the settlement looks for the receipt.
            logger.debug("Nonce %s is used up.", row.nonce)
        except (NonceTooDistantError, ReplacementUnderpricedError) as error:
            logger.warning("Sending stopped at nonce %s: %s", row.nonce, error.message)
            return sent
        except (ChainRequestError, GasLimitError) as error:
            _replace_with_filler(chain, relay, row, error)
            return sent
        at("sent")
        OutboxTransaction.objects.filter(pk=row.pk).update(broadcast_at=timezone.now())
        sent += 1
    return sent


def _replace_with_filler(
    chain: Chain, relay: Relay, row: OutboxTransaction, error: ChainRequestError | GasLimitError
) -> None:
    """Fail a row that the node will never take, and use its nonce up, or all later ones would wait for it."""
    logger.error("The node refuses nonce %s for good: %s", row.nonce, error.message)
    with transaction.atomic():
        locked = (
            OutboxTransaction.objects.select_for_update()
            .filter(pk=row.pk, state=TransactionState.SUBMITTED, nonce=row.nonce)
            .first()
        )
        if locked is None or locked.nonce is None or locked.function == FILLER:
            return
        nonce, locked.nonce, locked.raw, locked.sender = locked.nonce, None, None, ""
        refused_hash, locked.transaction_hash = locked.transaction_hash, ""
        fail(locked, error)
        signed = relay.sign(to=relay.address, data=b"", nonce=nonce, gas=FILLER_GAS, chain_id=chain.chain_id)
        OutboxTransaction.objects.create(
            consortium_id=locked.consortium_id,
            contract=locked.contract,
            function=FILLER,
            idempotency_key=f"{FILLER}:{refused_hash}",
            correlation_id=locked.correlation_id,
            state=TransactionState.SUBMITTED,
            submitted_at=timezone.now(),
            sender=relay.address,
            address=relay.address,
            nonce=nonce,
            raw=signed.raw,
            transaction_hash="0x" + signed.hash.hex(),
        )
