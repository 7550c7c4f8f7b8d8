"""What became of sent transactions: receipts, late refusals, and nonces that others have used up."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from consortium.common.models import TransactionState
from contracts.artifacts import Artifacts
from contracts.errors import NeverMinedError, TransactionRevertedError
from contracts.events import BlockHeader, Receipt
from contracts.interface import MAX_BATCH
from contracts.models import ContractDeployment, OutboxTransaction
from contracts.models.outbox import CONSTRUCTOR, FILLER
from contracts.rpc import codec
from contracts.sending.failures import FAILED_FIELDS, fail
from contracts.sending.lanes import Lane, Watch
from contracts.sending.rows import write
from contracts.sending.trials import calldata
from contracts.values import to_json

logger = logging.getLogger(__name__)

# A used nonce without our receipt: so many blocks of the same answer before the call is signed anew.
LOST_AFTER_BLOCKS = 3
# A call that is never mined holds up a lane each time it is signed anew.
MAX_LOST_NONCES = 3

_UNDER_WAY = Q(state=TransactionState.SUBMITTED)
_SETTLED_FIELDS = (*FAILED_FIELDS, "block", "gas")
_FREED_FIELDS = (
    *FAILED_FIELDS,
    *("nonce", "raw", "transaction_hash", "sender", "submitted_at", "broadcast_at", "lost_nonces"),
)


@dataclass
class Settlement:
    """How many rows were settled in one pass."""

    confirmed: int = 0
    failed: int = 0


@dataclass
class Settler:
    """Settles lanes' transactions; remembers since which block a receipt is missing, and which lanes stand still."""

    watch: Watch = field(default_factory=Watch)
    missing_since: dict[str, int] = field(default_factory=dict)

    def settle(self, lane: Lane, head: BlockHeader) -> Settlement:
        """Confirm or fail every row whose transaction is mined; `head` is the node's, asked before."""
        result = Settlement()
        # First the count, then the receipts: what is counted is mined, so its receipt is there.
        count = lane.mined_count()
        # Bytes and arguments are many, and are asked of refused calls alone.
        rows = list(lane.in_flight().filter(nonce__lt=count).order_by("nonce").defer("raw", "arguments"))
        batches = [rows[first : first + MAX_BATCH] for first in range(0, len(rows), MAX_BATCH)]
        # The next receipts are on their way while rows are written.
        asked = [lane.background.submit(lane.chain.receipts, _hashes(batch)) for batch in batches]
        for batch, receipts in zip(batches, asked, strict=True):
            self._settle_batch(lane, batch, receipts.result(), head, result)
        self.watch.look(lane, count, head)
        return result

    def _settle_batch(
        self,
        lane: Lane,
        rows: Sequence[OutboxTransaction],
        receipts: Sequence[Receipt | None],
        head: BlockHeader,
        result: Settlement,
    ) -> None:
        lane.at("receipt_read")
        found = [(row, receipt) for row, receipt in zip(rows, receipts, strict=True) if receipt is not None]
        for row, receipt in found:
            self.missing_since.pop(row.transaction_hash, None)
            _apply(lane, row, receipt)
        with transaction.atomic():
            ours = write([row for row, _ in found], _SETTLED_FIELDS, still=_UNDER_WAY)
            for row, receipt in found:
                if row.pk in ours and receipt.succeeded and row.function == CONSTRUCTOR:
                    _note_deployment(row, receipt, lane.chain.artifacts)
            lane.at("settled")
        result.confirmed += sum(row.pk in ours and receipt.succeeded for row, receipt in found)
        result.failed += sum(row.pk in ours and not receipt.succeeded for row, receipt in found)
        missing = [row for row, receipt in zip(rows, receipts, strict=True) if receipt is None]
        for row in missing:
            self._note_missing(lane, row, head)

    def _note_missing(self, lane: Lane, row: OutboxTransaction, head: BlockHeader) -> None:
        """Let a call be signed anew, on any lane, that can never be mined: other bytes have used its nonce."""
        since = self.missing_since.setdefault(row.transaction_hash, head.number)
        if head.number - since < LOST_AFTER_BLOCKS:
            return
        self.missing_since.pop(row.transaction_hash)
        # Once more, by the other name: a node that knows the bytes has them mined, or is not sure of its own.
        if lane.chain.transaction(bytes.fromhex(row.transaction_hash[2:])) is not None:
            return
        logger.error("Nonce %s of %s was used by other bytes than ours.", row.nonce, lane.address)
        lost_hash, row.transaction_hash = row.transaction_hash, ""
        _free(row)
        with transaction.atomic():
            write([row], _FREED_FIELDS, still=_UNDER_WAY & Q(transaction_hash=lost_hash))


def _free(row: OutboxTransaction) -> None:
    """Make it a call without a nonce: it waits for its next lane, or has failed where no lane has it mined."""
    row.nonce, row.raw, row.sender, row.submitted_at, row.broadcast_at = None, None, "", None, None
    row.lost_nonces += 1
    row.state = TransactionState.RECORDED
    if row.lost_nonces >= MAX_LOST_NONCES:
        fail(row, NeverMinedError(f"{row.lost_nonces} times other bytes took its nonce. Ask for it anew."))


def _hashes(rows: Sequence[OutboxTransaction]) -> list[bytes]:
    return [bytes.fromhex(row.transaction_hash[2:]) for row in rows]


def _apply(lane: Lane, row: OutboxTransaction, receipt: Receipt) -> None:
    row.block, row.gas = receipt.block_number, receipt.gas_used
    if not receipt.succeeded:
        fail(row, _refusal(lane, row, receipt))
        return
    row.state, row.settled_at = TransactionState.CONFIRMED, timezone.now()
    row.error_code = row.error_text = ""


def _refusal(lane: Lane, row: OutboxTransaction, receipt: Receipt) -> TransactionRevertedError:
    """Why a mined transaction was refused: the node's own note, or the call played again."""
    chain = lane.chain
    if (reason := receipt.revert_reason) is not None:
        return codec.decode_refusal(chain.artifacts.error(reason[:4], row.contract), reason)
    if row.function != FILLER:
        data, to = calldata(chain, row), row.address or None
        for block in (receipt.block_number, receipt.block_number - 1):
            refusal = chain.explain(row.contract, sender=row.sender, to=to, data=data, block=block)
            if refusal is not None:
                return refusal
    # It passes before and after its block: calls beside it in the block, or too little gas.
    return TransactionRevertedError("")


def _note_deployment(row: OutboxTransaction, receipt: Receipt, artifacts: Artifacts) -> None:
    # Only the system deploys; a member's row never names a contract's address (see the row security).
    if row.organization_id is not None or receipt.contract_address is None:
        return
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
