"""What became of sent transactions: receipts, late refusals, lost nonces, and a chain that came back shorter."""

import logging
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from consortium.common.models import TransactionState
from contracts.artifacts import Artifacts
from contracts.chain import may_heal
from contracts.errors import ChainRewoundError, TransactionRevertedError
from contracts.events import Receipt
from contracts.interface import Chain
from contracts.models import ContractDeployment, OutboxTransaction
from contracts.models.outbox import CONSTRUCTOR, FILLER
from contracts.relay import Relay
from contracts.rpc import codec
from contracts.sending.claims import Hook, calldata, fail
from contracts.values import to_json

logger = logging.getLogger(__name__)

# A used nonce without our receipt: so many blocks of the same answer before the call is signed anew.
LOST_AFTER_BLOCKS = 3


@dataclass
class Settlement:
    """How many rows were settled in one pass."""

    confirmed: int = 0
    failed: int = 0


@dataclass
class Settler:
    """Settles the relay's transactions; remembers since which block a receipt is missing."""

    chain: Chain
    relay: Relay
    at: Hook
    missing_since: dict[str, int] = field(default_factory=dict)

    def recover(self) -> int:
        """Take back what a shorter chain has forgotten; return how many rows are to be sent again.

        Raises
        ------
        ChainRewoundError
            On any chain but the development chain: nothing is changed then.
        """
        count = self.chain.transaction_count(self.relay.address)
        mined = Q(state=TransactionState.CONFIRMED) | Q(state=TransactionState.FAILED, block__isnull=False)
        lost = OutboxTransaction.objects.filter(mined, sender=self.relay.address, nonce__gte=count)
        if (number := lost.count()) == 0:
            return 0
        if not may_heal(self.chain):
            raise ChainRewoundError(
                f"{number} mined transactions are not on the chain any more. Nothing is sent until an operator has "
                "looked: is CHAIN_RPC_URL the right node, and does it follow its network?",
                transactions=number,
            )
        logger.warning("The development chain came back shorter: %d transactions are sent again.", number)
        lost.update(
            state=TransactionState.SUBMITTED,
            block=None,
            gas=None,
            error_code="",
            error_text="",
            broadcast_at=None,
            settled_at=None,
            outcome_delivered_at=None,
        )
        return number

    def settle(self) -> Settlement:
        """Confirm or fail every row whose transaction is mined."""
        # First the count, then the receipts: what is counted is mined, so its receipt is there.
        count = self.chain.transaction_count(self.relay.address)
        result = Settlement()
        for row in self.in_flight().filter(nonce__lt=count).order_by("nonce"):
            receipt = self.chain.receipt(bytes.fromhex(row.transaction_hash[2:]))
            self.at("receipt_read")
            if receipt is None:
                self._note_missing(row)
            elif self._settle_one(row, receipt):
                result.confirmed += receipt.succeeded
                result.failed += not receipt.succeeded
        return result

    def in_flight(self) -> QuerySet[OutboxTransaction]:
        """The relay's transactions that are signed and not settled."""
        return OutboxTransaction.objects.filter(state=TransactionState.SUBMITTED, sender=self.relay.address)

    def _settle_one(self, row: OutboxTransaction, receipt: Receipt) -> bool:
        refusal = None if receipt.succeeded else self._refusal(row, receipt)
        self.missing_since.pop(row.transaction_hash, None)
        with transaction.atomic():
            locked = self.in_flight().select_for_update(skip_locked=True).filter(pk=row.pk).first()
            if locked is None:
                return False
            locked.block, locked.gas = receipt.block_number, receipt.gas_used
            if refusal is not None:
                fail(locked, refusal)
            else:
                _confirm(locked, receipt, self.chain.artifacts)
            self.at("settled")
        return True

    def _refusal(self, row: OutboxTransaction, receipt: Receipt) -> TransactionRevertedError:
        """Why a mined transaction was refused: the node's own note, or the call played again."""
        if (reason := receipt.revert_reason) is not None:
            return codec.decode_refusal(self.chain.artifacts.error(reason[:4], row.contract), reason)
        if row.function != FILLER:
            data = calldata(self.chain, row)
            for block in (receipt.block_number, receipt.block_number - 1):
                refusal = self.chain.explain(
                    row.contract, sender=row.sender, to=row.address or None, data=data, block=block
                )
                if refusal is not None:
                    return refusal
        # It passes before and after its block: calls beside it in the block, or too little gas.
        return TransactionRevertedError("")

    def _note_missing(self, row: OutboxTransaction) -> None:
        """Sign anew what can never be mined, because other bytes have used its nonce."""
        head = self.chain.head().number
        since = self.missing_since.setdefault(row.transaction_hash, head)
        if head - since < LOST_AFTER_BLOCKS:
            return
        logger.error("Nonce %s of the relay was used by a transaction that is not ours.", row.nonce)
        self.missing_since.pop(row.transaction_hash)
        self.in_flight().filter(pk=row.pk).update(
            state=TransactionState.RECORDED, nonce=None, raw=None, transaction_hash="", sender="", broadcast_at=None
        )


def _confirm(row: OutboxTransaction, receipt: Receipt, artifacts: Artifacts) -> None:
    row.state, row.settled_at = TransactionState.CONFIRMED, timezone.now()
    row.error_code = row.error_text = ""
    row.save()
    # Only the system deploys; a member's row never names a contract's address (see the row security).
    if row.function == CONSTRUCTOR and row.organization_id is None and receipt.contract_address is not None:
        ContractDeployment.objects.update_or_create(
            consortium_id=row.consortium_id,
            name=row.contract,
            defaults={
                "address": receipt.contract_address,
                "block": receipt.block_number,
                "transaction_hash": row.transaction_hash,
                "schema": artifacts[row.contract].schema,
                "constructor_arguments": [to_json(value) for value in row.values],
            },
        )
