"""Calls of the TrainingLedger through the outbox: each asked once, built from what is durable."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from audit.acts import Actor
from consortium.common.models import TransactionState
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import from_hex, to_hex, uuid_to_bytes32
from contracts import outbox
from contracts.models import OutboxTransaction
from contracts.outbox import on_outcome
from training.coordination.desk import LEDGER, Desk
from training.coordination.opening import roster_parts, survivors_of
from training.domain.messages import message_from_json
from training.errors import RunFailedError
from training.models import Attempt
from training.notices import tell

SYSTEM = Actor.system("coordinator")
KEY = "run"
# ITrainingLedger.AbandonReason.
ABANDON_REASONS = {
    "too_few_survivors": 1,
    "site_lost": 2,
    "blame": 3,
    "result_disputed": 4,
    "withdrawal": 5,
    "timeout": 6,
    "revealed": 7,
}


def ask_once(desk: Desk, what: str, function: str, build: Callable[[], Sequence[Any]]) -> OutboxTransaction:
    """Ask for a call, inside `desk.write()`; a call that was asked for is not built again."""
    key = f"{KEY}:{desk.run_id}:{what}"
    known = OutboxTransaction.objects.filter(consortium_id=desk.consortium_id, idempotency_key=key).first()
    if known is not None:
        return known
    return outbox.enqueue(
        consortium_id=desk.consortium_id,
        contract=LEDGER,
        function=function,
        arguments=build(),
        idempotency_key=key,
    )


def failure_of(transaction: OutboxTransaction) -> str | None:
    """Return the contract's word for why it refused the call, None while it did not."""
    found = OutboxTransaction.objects.filter(pk=transaction.pk).values_list("state", "error_code").get()
    return found[1] if found[0] == TransactionState.FAILED else None


def ensure_openings_stand(desk: Desk) -> None:
    """Make sure that the chain has not refused the opening of an attempt that was open, when it mined it again.

    A development chain that lost its last blocks in a kill may have lost those that the commitments name. What
    became of such an attempt is on no chain then, and its sites may not do it over.

    Raises
    ------
    RunFailedError
        `opening_lost`, naming the round.
    """
    refused = OutboxTransaction.objects.filter(
        consortium_id=desk.consortium_id,
        idempotency_key__startswith=f"{KEY}:{desk.run_id}:",
        function__in=("openAttempt", "advanceRound"),
        state=TransactionState.FAILED,
    )
    keys = set(refused.values_list("idempotency_key", flat=True))
    opened = Attempt.objects.filter(run_id=desk.run_id, opened_at__isnull=False).select_related("round")
    lost = next((attempt for attempt in opened if f"{KEY}:{desk.run_id}:{opening_name(attempt)}" in keys), None)
    if lost is not None:
        text = f"The chain has lost round {lost.round.number}, and does not take its opening again."
        raise RunFailedError("opening_lost", text)


def opening_name(attempt: Attempt) -> str:
    """Name the opening of the attempt's present announcement, for `ask_once`."""
    return f"{attempt.round.number}.{attempt.number}:open:{attempt.announcement}"


@on_outcome(KEY)
def wake_coordinator(transaction: OutboxTransaction) -> None:
    """The coordinator reads the outcome itself; it only has to hear of it."""
    tell(UUID(transaction.idempotency_key.split(":")[1]))


def opening_of(attempt: Attempt, sites: Sequence[UUID]) -> dict[str, Any]:
    """Return `Opening`: the commitments of these sites, in their order."""
    parts = {part.organization_id: part for part in attempt.parts.all()}
    return {
        "round": attempt.round.number,
        "attempt": attempt.number,
        "commitments": [
            {
                "commitment": message_from_json("Commitment", parts[site].commitment),
                "signature": from_hex(parts[site].commitment_signature),
            }
            for site in sites
        ],
    }


def closing_of(attempt: Attempt) -> dict[str, Any]:
    """Return `RoundClose`: the verified result with its signatures, in the roster's order."""
    survivors = survivors_of(attempt)
    return {
        "round": attempt.round.number,
        "attempt": attempt.number,
        "survivors": survivors.survivors,
        "maskedDigests": survivors.combined_digest(),
        "aggregate": digest_to_bytes32(attempt.aggregate),
        "nextWeights": digest_to_bytes32(attempt.next_weights),
        "signatures": [
            {"organization": uuid_to_bytes32(site), "signature": from_hex(part.result_signature)}
            for site, part in roster_parts(attempt).items()
            if part.result_signature
        ],
    }


def closing_to_wire(attempt: Attempt) -> dict[str, Any]:
    """Return the closing as the payload of `commit` carries it; a bitmap is 32 bytes in hexadecimal."""
    closing = closing_of(attempt)
    return {
        "round": closing["round"],
        "attempt": closing["attempt"],
        "survivors": to_hex(closing["survivors"].to_bytes(32, "big")),
        "masked_digests": to_hex(closing["maskedDigests"]),
        "aggregate": to_hex(closing["aggregate"]),
        "next_weights": to_hex(closing["nextWeights"]),
        "signatures": [
            {"organization": str(UUID(bytes=entry["organization"][:16])), "signature": to_hex(entry["signature"])}
            for entry in closing["signatures"]
        ],
    }
