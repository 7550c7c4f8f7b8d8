"""Verifying: the roster's sites recompute sum and step bit for bit and sign; the close needs the plan's quorum."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import to_hex
from consortium.membership.models import WorkItem
from training.coordination.desk import Desk
from training.coordination.errands import Errands, result_of
from training.coordination.opening import opened_attempt, roster_parts, survivors_of
from training.domain.messages import read_signature
from training.errors import AttemptFailedError
from training.federated.secagg.verification import ROUND_RESULT, RoundResult
from training.federated.wire import read_object
from training.models import Attempt, SitePart


def verify(desk: Desk, round_number: int, number: int) -> None:
    """Collect signatures on the result; a silent verifier is asked again, and never waived below the quorum.

    Raises
    ------
    AttemptFailedError
        If so many dispute the result, or stay silent through all tries, that the quorum cannot be met.
    """
    attempt = desk.attempt(round_number, number)
    for attempted in range(1, desk.patience.verify_tries + 1):
        _ask(desk, attempt, attempted)
        if attempt.parts.exclude(result_signature="").count() >= desk.plan.terms.verifier_quorum:
            with desk.write():
                desk.advance(attempt, verified_at=timezone.now())
            desk.at("verified")
            return
        desk.waiter.until(lambda: None, seconds=desk.patience.between_announcements)
    raise AttemptFailedError("result_disputed", "Too few verifiers signed the round's result.")


def _ask(desk: Desk, attempt: Attempt, number: int) -> None:
    opened, parts = opened_attempt(desk, attempt), roster_parts(attempt)
    result = RoundResult(
        survivors_of(attempt), digest_to_bytes32(attempt.aggregate), digest_to_bytes32(attempt.next_weights)
    )
    payload = _payload(attempt, parts, result)
    waiting = dict.fromkeys(_verifiers(desk, parts, number), payload)

    def take(part: SitePart, item: WorkItem) -> None:
        answer = read_object(result_of(item), ("signature",), what="answer to verify")
        signature = read_signature(answer["signature"])
        desk.signatures.verify(part.organization_id, ROUND_RESULT, result.fields(opened), signature)
        part.result_signature = to_hex(signature)
        part.save(update_fields=["result_signature"])

    Errands(desk, attempt, "verify", number=number).gather(waiting, take, seconds=desk.patience.verify)


def _verifiers(desk: Desk, parts: dict[UUID, SitePart], number: int) -> list[UUID]:
    """Return whom to ask: at first those that are there, if they make a quorum, else everybody."""
    missing = {site: part for site, part in parts.items() if not part.result_signature}
    there = [site for site, part in missing.items() if part.outcome == SitePart.Outcome.ACCEPTED]
    signed = len(parts) - len(missing)
    return there if number == 1 and signed + len(there) >= desk.plan.terms.verifier_quorum else list(missing)


def _payload(attempt: Attempt, parts: dict[Any, SitePart], result: RoundResult) -> dict[str, Any]:
    """Return all that a verifier needs besides its own node, also one that restarted and has nothing of the attempt."""
    return {
        "survivors": result.survivors.to_wire(),
        "signatures": [
            {"organization": str(site), "signature": part.survivor_signature}
            for site, part in parts.items()
            if part.survivor_signature
        ],
        "vectors": [{"organization": str(site), "digest": part.vector} for site, part in parts.items() if part.vector],
        "opened": attempt.opened_secrets,
        "mask_keys": [part.mask_keys for part in parts.values()],
        "deals": [part.deal for part in parts.values() if part.deal is not None],
        "weights": attempt.weights,
        "result": {"aggregate": to_hex(result.aggregate), "next_weights": to_hex(result.next_weights)},
    }
