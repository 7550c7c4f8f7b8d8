"""Asking for deliveries: each once however often it is said, and again, with the reason shown, once it was refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from consortium.common.api import ensure_atomic
from consortium.common.models import TransactionState
from contracts import outbox
from contracts.crosschain.exchange import InboxCall
from contracts.models import OutboxTransaction

INBOX = "CrossConsortiumInbox"
# Between the key of a call and the number of its attempt, from the second on.
AGAIN = ":again:"
# What the inbox says where it holds the message, or a later one: another attempt would be refused for ever.
SETTLED = frozenset({"InboxNothingNew", "InboxPeerKnown"})


@dataclass(frozen=True)
class Asked:
    """A call as it stands in the outbox, and the attempt before it that failed, if one did."""

    row: OutboxTransaction
    failed: OutboxTransaction | None = None

    def in_words(self) -> str:
        if self.failed is not None:
            return f"{self.row.function}: {self.row.state}, asked again; before: {reason_of(self.failed)}"
        said = f"{self.row.function}: {self.row.state}"
        if self.row.state != TransactionState.FAILED:
            return said
        return f"{said}, {reason_of(self.row)} (not asked again: the inbox holds this or a later word already)"


def reason_of(row: OutboxTransaction) -> str:
    """Why a call failed, in the contract's word and in words."""
    return f"{row.error_code}: {row.error_text}" if row.error_text else row.error_code or "no reason was given"


def ask(consortium_id: UUID, calls: Sequence[InboxCall]) -> list[Asked]:
    """Ask for calls in their order, which is kept: what is under way or done stays, what failed is asked again.

    A call is known by its intent alone. Another node may give the same block with other seals of the same validators,
    and proves the same with it.

    Raises
    ------
    RuntimeError
        Outside a transaction.
    """
    ensure_atomic()
    return [_ask(consortium_id, call) for call in calls]


def _ask(consortium_id: UUID, call: InboxCall) -> Asked:
    attempts = _attempts(consortium_id, call.key)
    last = attempts[-1] if attempts else None
    if last is not None and (last.state != TransactionState.FAILED or last.error_code in SETTLED):
        return Asked(last)
    key = f"{call.key}{AGAIN}{len(attempts) + 1}" if attempts else call.key
    row = outbox.enqueue(
        consortium_id=consortium_id,
        contract=INBOX,
        function=call.function,
        arguments=call.arguments,
        idempotency_key=key,
    )
    return Asked(row, failed=last)


def _attempts(consortium_id: UUID, key: str) -> list[OutboxTransaction]:
    """The system's own attempts at one call, oldest first; no member's row stands for one."""
    own = OutboxTransaction.objects.filter(consortium_id=consortium_id, organization_id=None, contract=INBOX)
    named = Q(idempotency_key=key) | Q(idempotency_key__startswith=key + AGAIN)
    return list(own.filter(named).defer("arguments", "raw").order_by("position"))
