"""Rows of the outbox become signed bytes with a nonce, all in one transaction under the lane's row lock."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from consortium.common.models import TransactionState
from consortium.kernel.errors import ConsiliumError, InvalidInputError
from contracts.errors import (
    ChainError,
    GasLimitError,
    TransactionRevertedError,
    TransactionTooLargeError,
    UnknownContractError,
)
from contracts.models import OutboxTransaction, RelayAccount, StuckCode
from contracts.sending.failures import FAILED_FIELDS, fail
from contracts.sending.lanes import MAX_IN_FLIGHT, Lane
from contracts.sending.queue import Queue
from contracts.sending.relays import AnyRelay, SignedTransaction
from contracts.sending.rows import write_own
from contracts.sending.trials import Trials, Tried
from contracts.signing.errors import SignerError
from contracts.transactions import FreeTransaction

logger = logging.getLogger(__name__)

# One lock is held for so many trials, a fraction of a second on a node beside us.
MAX_CLAIM = 100

_SIGNED_FIELDS = ("state", "sender", "address", "nonce", "raw", "transaction_hash", "submitted_at")


@dataclass
class Claim:
    """What one claim took: the rows signed, the number that failed for good, and why what holds the key stopped it."""

    signed: list[OutboxTransaction] = field(default_factory=list)
    failed: int = 0
    fault: SignerError | None = None


def claim(lane: Lane, trials: Trials, *, among: int = 1) -> Claim:
    """Sign the oldest waiting rows, consecutive nonces, at most `MAX_CLAIM`, and `MAX_IN_FLIGHT` in all.

    A row that its contract refuses fails, unless earlier calls of its consortium are under way: their
    effect is not on the chain yet, so it waits for them, and later calls of that consortium with it.
    A fault of the node, or of what holds the key, ends the claim; what was signed so far is kept, and a row
    that was not signed stays as it was and has taken no nonce. `among` lanes, this one and
    those that claim after it, share what is on no lane yet.
    """
    if lane.relay is None:
        return Claim()
    with transaction.atomic():
        # Another dispatcher that holds the row is claiming already.
        account = RelayAccount.objects.select_for_update(skip_locked=True).filter(pk=lane.address).first()
        if account is None or account.stuck_code not in ("", StuckCode.NOT_SIGNED):
            return Claim()
        lane.at("claimed")
        claimed = _Claimer(lane, lane.relay, account, trials, Queue(lane, among=among)).run()
    if claimed.signed:
        lane.at("committed")
    return claimed


class _Claimer:
    def __init__(self, lane: Lane, relay: AnyRelay, account: RelayAccount, trials: Trials, queue: Queue) -> None:
        self.lane = lane
        self.relay = relay
        self.account = account
        self.trials = trials
        self.queue = queue
        self.result = Claim()
        self.room = MAX_IN_FLIGHT - lane.in_flight().count()

    def run(self) -> Claim:
        try:
            if self.room > 0 and (rows := self.queue.next_rows(min(MAX_CLAIM, self.room))):
                self._find_nonce()
                self._take(rows)
        except ChainError as error:
            if not error.retryable:
                raise
            logger.warning("Claiming stopped: %s", error.message)
        self.account.save(update_fields=["next_nonce"])
        return self.result

    def _find_nonce(self) -> None:
        """The chain knows of transactions that we do not, if the key was used elsewhere; a node may be behind us."""
        count = self.lane.mined_count()
        self.account.next_nonce = max(self.account.next_nonce, count)
        self.room = min(self.room, count + MAX_IN_FLIGHT - self.account.next_nonce)

    def _take(self, rows: list[OutboxTransaction]) -> None:
        """Take rows in order; those of a consortium that waits are passed over and hold up nobody else's."""
        while rows and self.result.fault is None:
            heads = self._heads(rows)
            self._take_batch([row for row in rows if row.pk in heads])
            self._take_batch([row for row in rows if row.pk not in heads])
            most = min(MAX_CLAIM - len(self.result.signed) - self.result.failed, self.room)
            rows = self.queue.next_rows(most) if most > 0 else []

    def _heads(self, rows: Sequence[OutboxTransaction]) -> set[UUID]:
        """The first row of each consortium that waited the last time: many calls that wait cost one trial."""
        first = {row.consortium_id: row.pk for row in reversed(rows)}
        return {row for consortium, row in first.items() if consortium in self.trials.waited}

    def _take_batch(self, rows: Sequence[OutboxTransaction]) -> None:
        rows = [row for row in rows if row.consortium_id not in self.queue.passed_over][: self.room]
        if not rows or self.result.fault is not None:
            return
        tried = self.trials.run(rows, sender=self.lane.address)
        self.lane.at("simulated")
        taken: list[tuple[OutboxTransaction, Tried]] = []
        failed: list[OutboxTransaction] = []
        for row, found in zip(rows, tried, strict=True):
            if row.consortium_id in self.queue.passed_over:
                continue
            self.trials.waited.discard(row.consortium_id)
            if isinstance(found, Tried):
                taken.append((row, found))
                self.queue.busy.add(row.consortium_id)
            elif self._is_final(row, found):
                fail(row, found)
                failed.append(row)
            else:
                self.queue.passed_over.add(row.consortium_id)
                self.trials.waited.add(row.consortium_id)
        self._persist(self._sign(taken), failed)

    def _is_final(self, row: OutboxTransaction, refusal: ConsiliumError) -> bool:
        """Whether the call has failed for good; if not, its consortium waits, and nobody else."""
        if isinstance(refusal, TransactionRevertedError | UnknownContractError):
            return row.consortium_id not in self.queue.busy
        if isinstance(refusal, InvalidInputError | GasLimitError | TransactionTooLargeError):
            return True
        if not refusal.retryable:
            raise refusal
        logger.warning("%s cannot be tried now: %s", row, refusal.message)
        return False

    def _sign(self, taken: Sequence[tuple[OutboxTransaction, Tried]]) -> list[OutboxTransaction]:
        """Sign with the next nonces, all in one go; only those that were signed have taken theirs."""
        if not taken:
            return []
        wanted = [self._numbered(tried, index) for index, (_, tried) in enumerate(taken)]
        signing = self.relay.sign_many(wanted)
        self.result.fault = signing.fault
        self.account.next_nonce += len(signing.signed)
        return [
            self._note(row, one, signed) for (row, _), one, signed in zip(taken, wanted, signing.signed, strict=False)
        ]

    def _numbered(self, tried: Tried, index: int) -> FreeTransaction:
        self.lane.at("nonce_taken")
        nonce = self.account.next_nonce + index
        return FreeTransaction(tried.to, tried.data, nonce, tried.gas, self.lane.chain.chain_id)

    def _note(self, row: OutboxTransaction, one: FreeTransaction, signed: SignedTransaction) -> OutboxTransaction:
        self.lane.at("signed")
        row.nonce, row.raw, row.transaction_hash = one.nonce, signed.raw, "0x" + signed.hash.hex()
        row.address, row.sender = one.to or "", self.lane.address
        row.state, row.submitted_at = TransactionState.SUBMITTED, timezone.now()
        return row

    def _persist(self, signed: list[OutboxTransaction], failed: list[OutboxTransaction]) -> None:
        """Write what was decided: the rows are ours, for their consortia are locked."""
        write_own(failed, FAILED_FIELDS)
        write_own(signed, _SIGNED_FIELDS)
        self.lane.at("persisted")
        self.room -= len(signed)
        self.result.signed += signed
        self.result.failed += len(failed)
