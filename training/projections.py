"""What the ledger's and the model registry's events make of runs, rounds and models: upserts by their own ids."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from audit.acts import Actor, Subject
from audit.recorder import record_once
from consortium.kernel.digests import bytes32_to_digest
from consortium.kernel.identifiers import bytes32_to_uuid, to_hex
from contracts.events import ChainEvent
from contracts.projections import projects
from training.domain.states import ATTEMPT, RUN, AttemptState, RunState
from training.models import Attempt, Plan, Round, Run, SitePart
from training.notices import tell
from training.read_models import declare

declare()
PROJECTOR = Actor.system("projector")
LEDGER = "TrainingLedger"
# ITrainingLedger.RefusalReason and AbandonReason, in their order.
REFUSALS = (
    *("none", "wrong_attempt", "wrong_plan", "wrong_weights", "not_active", "not_consented", "duplicate", "no_epoch"),
    *("stale_consents", "as_of_out_of_tolerance", "not_a_band", "cohort_too_small", "wrong_block", "expired"),
    "bad_signature",
)
ABANDONED = (
    *("none", "too_few_survivors", "site_lost", "blame", "result_disputed", "withdrawal", "timeout"),
    "revealed",
)


@projects("RunOpened", contract=LEDGER)
def run_opened(consortium_id: UUID, event: ChainEvent) -> None:
    arguments = event.arguments
    run_id, plan_digest = bytes32_to_uuid(arguments["run"]), bytes32_to_digest(arguments["plan"])
    run, _ = Run.objects.get_or_create(
        pk=run_id,
        defaults={
            "consortium_id": consortium_id,
            "organization_id": bytes32_to_uuid(arguments["author"]),
            "plan": Plan.objects.filter(consortium_id=consortium_id, digest=plan_digest).first(),
            "plan_digest": plan_digest,
            "decision": to_hex(arguments["decision"]),
            "rounds": arguments["terms"]["rounds"],
            "state": RunState.WAITING_FOR_SITES,
        },
    )
    Run.objects.filter(pk=run_id).update(
        chain_state="confirmed",
        confirmed_block=event.block_number,
        transaction_hash=to_hex(event.transaction_hash),
        weights=run.weights or bytes32_to_digest(arguments["initialWeights"]),
    )
    tell(run_id)


@projects("CommitmentAccepted", contract=LEDGER)
def commitment_accepted(consortium_id: UUID, event: ChainEvent) -> None:
    commitment = event.arguments["commitment"]
    attempt = _attempt(consortium_id, event, commitment["attempt"], bytes32_to_digest(commitment["weights"]))
    _part(attempt, event).update(
        outcome=SitePart.Outcome.ACCEPTED,
        band=commitment["band"],
        epoch=commitment["epoch"],
        accepted_mask_keys=to_hex(commitment["maskKeys"]),
    )


@projects("CommitmentRefused", contract=LEDGER)
def commitment_refused(consortium_id: UUID, event: ChainEvent) -> None:
    arguments = event.arguments
    attempt = _attempt(consortium_id, event, arguments["attempt"])
    reason = REFUSALS[arguments["reason"]]
    text = f"The ledger skipped the commitment: {reason.replace('_', ' ')}."
    _part(attempt, event).update(outcome=SitePart.Outcome.REFUSED, step="open", code=reason, text=text)
    organization = str(bytes32_to_uuid(arguments["organization"]))
    _record(
        attempt.run,
        "training.site.refuse",
        event,
        organization=organization,
        reason=reason,
        round=arguments["round"],
        attempt=arguments["attempt"],
    )


@projects("RoundOpened", contract=LEDGER)
def round_opened(consortium_id: UUID, event: ChainEvent) -> None:
    arguments = event.arguments
    weights = bytes32_to_digest(arguments["weights"])
    roster = [str(bytes32_to_uuid(organization)) for organization in arguments["roster"]]
    attempt = _attempt(consortium_id, event, arguments["attempt"], weights)
    Attempt.objects.filter(pk=attempt.pk).update(
        roster=roster,
        roster_digest=to_hex(arguments["rosterDigest"]),
        opened_block=event.block_number,
        opened_at=attempt.opened_at or timezone.now(),
    )
    _move(attempt, AttemptState.OPEN)
    _move_run(attempt.run, RunState.RUNNING, event, source=RunState.WAITING_FOR_SITES)
    bands = dict(attempt.parts.values_list("organization_id", "band"))
    _record(
        attempt.run,
        "training.round.open",
        event,
        round=arguments["round"],
        attempt=arguments["attempt"],
        weights=weights,
        roster=roster,
        bands=[bands[UUID(site)] for site in roster],
        block=event.block_number,
    )


@projects("RoundClosed", contract=LEDGER)
def round_closed(consortium_id: UUID, event: ChainEvent) -> None:
    arguments = event.arguments
    attempt = _attempt(consortium_id, event, arguments["attempt"])
    next_weights, aggregate = bytes32_to_digest(arguments["nextWeights"]), bytes32_to_digest(arguments["aggregate"])
    Attempt.objects.filter(pk=attempt.pk).update(
        state=AttemptState.CLOSED, aggregate=aggregate, next_weights=next_weights, closed_at=timezone.now()
    )
    Round.objects.filter(pk=attempt.round_id).update(
        next_weights=next_weights,
        closed_attempt=arguments["attempt"],
        closed_block=event.block_number,
        closed_at=timezone.now(),
    )
    Run.objects.filter(pk=attempt.run_id).update(weights=next_weights)
    survivors = [site for place, site in enumerate(attempt.roster) if arguments["survivors"] >> place & 1]
    _record(
        attempt.run,
        "training.round.close",
        event,
        round=arguments["round"],
        attempt=arguments["attempt"],
        survivors=survivors,
        aggregate=aggregate,
        next_weights=next_weights,
        block=event.block_number,
    )


@projects("AttemptAbandoned", contract=LEDGER)
def attempt_abandoned(consortium_id: UUID, event: ChainEvent) -> None:
    attempt = _attempt(consortium_id, event, event.arguments["attempt"])
    reason = attempt.abandoned_reason or ABANDONED[event.arguments["reason"]]
    Attempt.objects.filter(pk=attempt.pk).update(abandoned_reason=reason)
    _move(attempt, AttemptState.ABANDONED)
    tell(attempt.run_id)


@projects("RunCompleted", contract=LEDGER)
def run_completed(consortium_id: UUID, event: ChainEvent) -> None:
    _end_run(event, RunState.COMPLETED)


@projects("RunCanceled", contract=LEDGER)
def run_canceled(consortium_id: UUID, event: ChainEvent) -> None:
    _end_run(event, RunState.CANCELED)


@projects("RunFailed", contract=LEDGER)
def run_failed(consortium_id: UUID, event: ChainEvent) -> None:
    _end_run(event, RunState.FAILED)


def _end_run(event: ChainEvent, state: str) -> None:
    """The chain's word that the run has ended; a run that ended here before keeps the state it ended in."""
    run = Run.objects.get(pk=bytes32_to_uuid(event.arguments["run"]))
    if not RUN.is_terminal(run.state):
        Run.objects.filter(pk=run.pk).update(state=state, ended_at=timezone.now())
    _record(run, "training.run.change", event, state=state, block=event.block_number)


def _attempt(consortium_id: UUID, event: ChainEvent, number: int, weights: str = "") -> Attempt:
    """Return the attempt, made from the event where the rows do not know it (a replay into an empty database)."""
    run_id, round_number = bytes32_to_uuid(event.arguments["run"]), event.arguments["round"]
    run = Run.objects.get(pk=run_id)
    round_, _ = Round.objects.get_or_create(
        run=run, number=round_number, defaults={"consortium_id": consortium_id, "weights": weights or run.weights}
    )
    attempt, _ = Attempt.objects.get_or_create(
        run=run, round=round_, number=number, defaults={"consortium_id": consortium_id, "weights": round_.weights}
    )
    return attempt


def _part(attempt: Attempt, event: ChainEvent) -> Any:
    organization_id = bytes32_to_uuid(event.arguments["organization"])
    SitePart.objects.get_or_create(
        attempt=attempt, organization_id=organization_id, defaults={"consortium_id": attempt.consortium_id}
    )
    return SitePart.objects.filter(attempt=attempt, organization_id=organization_id)


def _move(attempt: Attempt, state: str) -> None:
    """Change the state forward; a development chain that mines again finds it there already."""
    Attempt.objects.filter(pk=attempt.pk, state__in=ATTEMPT.sources(state)).update(state=state)


def _move_run(run: Run, state: str, event: ChainEvent, *, source: str) -> None:
    if Run.objects.filter(pk=run.pk, state=source).update(state=state):
        _record(run, "training.run.change", event, state=state)


def _record(run: Run, action: str, event: ChainEvent, **data: object) -> None:
    record_once(
        event.key,
        action=action,
        consortium_id=run.consortium_id,
        actor=PROJECTOR,
        subject=Subject("run", str(run.pk)),
        data=data,
    )
    tell(run.pk)
