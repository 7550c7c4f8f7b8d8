"""A call that will not happen: settled in the contract's own words where it spoke."""

from django.utils import timezone

from consortium.common.models import TransactionState
from consortium.kernel.errors import ConsiliumError
from contracts.errors import TransactionRevertedError
from contracts.models import OutboxTransaction

FAILED_FIELDS = ("state", "settled_at", "error_code", "error_text")


def fail(row: OutboxTransaction, refusal: ConsiliumError) -> None:
    """Set `FAILED_FIELDS`; the caller writes the row."""
    own = refusal.error if isinstance(refusal, TransactionRevertedError) else ""
    row.state, row.settled_at = TransactionState.FAILED, timezone.now()
    row.error_code, row.error_text = (own or refusal.code)[:100], refusal.message
