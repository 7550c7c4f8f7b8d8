"""Announcing an attempt: every site of the plan is asked for a signed commitment and fresh masking keys."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32
from consortium.membership.models import Membership, WorkItem
from training.coordination.desk import Desk
from training.coordination.errands import Errands, result_of
from training.coordination.ledger import closing_to_wire, ensure_openings_stand
from training.domain.admission import largest_openable
from training.domain.messages import message_from_json, read_signature
from training.domain.states import AttemptState
from training.errors import AnswerInvalidError, RunFailedError
from training.federated.secagg.mask_keys import MaskKeys
from training.federated.wire import read_object
from training.models import Attempt, Round, SitePart

# A site that refuses so will refuse again, whatever the round.
PERMANENT = frozenset({"plan_not_approved", "digest_differs", "runner_not_accepted", "weights_differ", "bound_broken"})
_CLEARED = {"commitment": None, "commitment_signature": "", "mask_keys": None, "code": "", "text": "", "step": ""}


def announce(desk: Desk, round_number: int, number: int) -> None:
    """Ask for commitments until a round may open with them, or it is time to ask anew."""
    attempt = _ensure_attempt(desk, round_number, number)
    desk.at("announced")
    payload = _payload(desk, attempt)
    waiting = {part.organization_id: payload for part in attempt.parts.filter(commitment__isnull=True)}
    errands = Errands(desk, attempt, "commit", number=attempt.announcement)
    errands.gather(waiting, lambda part, item: _take(desk, attempt, part, item), seconds=desk.patience.commit)
    committed = attempt.parts.filter(outcome=SitePart.Outcome.COMMITTED).count()
    if largest_openable(desk.plan.terms, committed):
        with desk.write():
            desk.advance(attempt, committed_at=timezone.now())
        desk.at("committed")
        return
    _ensure_hope(desk, attempt)
    ask_anew(desk, attempt)
    # Whoever is missing may be starting; orders are heard meanwhile.
    desk.waiter.until(lambda: None, seconds=desk.patience.between_announcements)


def ask_anew(desk: Desk, attempt: Attempt) -> None:
    """Forget the commitments of an attempt that the chain has not opened: they age, and sites come and go."""
    with desk.write():
        desk.advance(attempt, announcement=attempt.announcement + 1, committed_at=None)
        attempt.parts.update(outcome=SitePart.Outcome.ASKED, **_CLEARED)


def _ensure_attempt(desk: Desk, round_number: int, number: int) -> Attempt:
    with desk.write() as run:
        round_, _ = Round.objects.get_or_create(
            run=run,
            number=round_number,
            defaults={"consortium_id": run.consortium_id, "weights": _incoming(desk, round_number)},
        )
        attempt, _ = Attempt.objects.get_or_create(
            run=run,
            round=round_,
            number=number,
            defaults={"consortium_id": run.consortium_id, "weights": round_.weights},
        )
        known = set(attempt.parts.values_list("organization_id", flat=True))
        parts = [
            SitePart(consortium_id=run.consortium_id, attempt=attempt, organization_id=site)
            for site in _active_sites(desk)
            if site not in known
        ]
        SitePart.objects.bulk_create(parts)
    return desk.attempt(round_number, number)


def _incoming(desk: Desk, round_number: int) -> str:
    """The weights of a new round: the run's, or those that the round before has verified and not closed yet."""
    before = Attempt.objects.filter(
        run_id=desk.run_id, round__number=round_number - 1, state=AttemptState.REVEALED, verified_at__isnull=False
    ).first()
    return before.next_weights if before is not None else desk.run.weights


def _active_sites(desk: Desk) -> list[UUID]:
    active = Membership.objects.filter(consortium_id=desk.consortium_id, status=Membership.Status.ACTIVE)
    members = set(active.values_list("organization_id", flat=True))
    return [site for site in desk.plan.sites if site in members]


def _payload(desk: Desk, attempt: Attempt) -> Mapping[str, Any]:
    run = desk.run
    payload: dict[str, Any] = {
        "plan": run.plan_digest,
        "decision": run.decision,
        "terms": desk.plan.terms.to_wire(),
        "weights": attempt.weights,
    }
    closing = Attempt.objects.filter(
        run=run, round__number=attempt.round.number - 1, state=AttemptState.REVEALED, verified_at__isnull=False
    )
    if (unclosed := closing.select_related("round").first()) is not None:
        payload["closing"] = closing_to_wire(unclosed)
    return payload


def _take(desk: Desk, attempt: Attempt, part: SitePart, item: WorkItem) -> None:
    answer = read_object(result_of(item), ("commitment", "signature", "mask_keys"), what="answer to commit")
    fields = message_from_json("Commitment", answer["commitment"])
    signature, keys = read_signature(answer["signature"]), MaskKeys.from_wire(answer["mask_keys"])
    expected = {
        "run": uuid_to_bytes32(desk.run_id),
        "round": attempt.round.number,
        "attempt": attempt.number,
        "organization": uuid_to_bytes32(part.organization_id),
        "plan": digest_to_bytes32(attempt.run.plan_digest),
        "weights": digest_to_bytes32(attempt.weights),
        "maskKeys": keys.digest(desk.context(attempt)),
    }
    wrong = sorted(name for name, value in expected.items() if fields[name] != value)
    if wrong or keys.organization != part.organization_id:
        raise AnswerInvalidError(f"The commitment is of another attempt: {', '.join(wrong) or 'mask keys'} differ.")
    desk.signatures.verify(part.organization_id, "Commitment", fields, signature)
    part.commitment, part.commitment_signature = answer["commitment"], to_hex(signature)
    part.mask_keys, part.outcome = answer["mask_keys"], SitePart.Outcome.COMMITTED
    part.save(update_fields=["commitment", "commitment_signature", "mask_keys", "outcome"])


def _ensure_hope(desk: Desk, attempt: Attempt) -> None:
    """End the run where the sites that are left can never make a roster, or have not come in time."""
    ensure_openings_stand(desk)
    refused = attempt.parts.filter(outcome=SitePart.Outcome.REFUSED, code__in=PERMANENT).order_by("organization_id")
    reasons = "; ".join(f"{part.organization_id}: {part.code}" for part in refused)
    if attempt.parts.count() - refused.count() < desk.plan.terms.minimum_sites:
        raise RunFailedError("sites_refuse", f"Too few sites are left: {reasons or 'the plan has too few members'}.")
    if (timezone.now() - attempt.announced_at).total_seconds() > desk.patience.sites:
        raise RunFailedError("too_few_sites", f"Within {desk.patience.sites:g} s too few sites committed.")
