"""What the ledger's and the model registry's events make of runs, rounds and models: upserts by their own ids."""

from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone

from audit.acts import Subject
from audit.recorder import record_once
from consortium.kernel.digests import bytes32_to_digest
from consortium.kernel.identifiers import bytes32_to_uuid, to_hex
from contracts.events import ChainEvent
from contracts.projections import Heard, projects, projects_many
from training.domain.states import ATTEMPT, RUN, AttemptState, RunState
from training.models import Plan, Run, SitePart
from training.notices import tell
from training.read_models import declare
from training.round_book import PROJECTOR, Page, RoundBook

declare()
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


@projects_many(
    *("CommitmentAccepted", "CommitmentRefused", "RoundOpened", "RoundClosed", "AttemptAbandoned"), contract=LEDGER
)
def rounds_go_on(consortium_id: UUID, heard: Sequence[Heard]) -> None:
    """Most of what a consortium's chain says: rounds and the sites' part in them."""
    book = RoundBook.of(consortium_id, [one.event for one in heard])
    for one in heard:
        _READERS[one.event.name](book, one)
    book.close()


def _commitment_accepted(book: RoundBook, heard: Heard) -> None:
    commitment = heard.event.arguments["commitment"]
    page = book.page(heard, commitment["attempt"], bytes32_to_digest(commitment["weights"]))
    page.change(
        page.part(),
        outcome=SitePart.Outcome.ACCEPTED,
        band=commitment["band"],
        epoch=commitment["epoch"],
        accepted_mask_keys=to_hex(commitment["maskKeys"]),
    )


def _commitment_refused(book: RoundBook, heard: Heard) -> None:
    arguments = heard.event.arguments
    page = book.page(heard, arguments["attempt"])
    reason = REFUSALS[arguments["reason"]]
    text = f"The ledger skipped the commitment: {reason.replace('_', ' ')}."
    page.change(page.part(), outcome=SitePart.Outcome.REFUSED, step="open", code=reason, text=text)
    organization = str(bytes32_to_uuid(arguments["organization"]))
    place = {"round": arguments["round"], "attempt": arguments["attempt"]}
    page.record("training.site.refuse", organization=organization, reason=reason, **place)


def _round_opened(book: RoundBook, heard: Heard) -> None:
    arguments, block = heard.event.arguments, heard.event.block_number
    weights = bytes32_to_digest(arguments["weights"])
    sites = [bytes32_to_uuid(organization) for organization in arguments["roster"]]
    page = book.page(heard, arguments["attempt"], weights)
    page.change(
        page.attempt,
        roster=[str(site) for site in sites],
        roster_digest=to_hex(arguments["rosterDigest"]),
        opened_block=block,
        opened_at=page.attempt.opened_at or timezone.now(),
    )
    _move(page, AttemptState.OPEN)
    if page.run.state == RunState.WAITING_FOR_SITES:
        page.change(page.run, state=RunState.RUNNING)
        page.record("training.run.change", state=RunState.RUNNING)
    bands = book.bands(page.attempt)
    page.record(
        "training.round.open",
        round=arguments["round"],
        attempt=arguments["attempt"],
        weights=weights,
        roster=page.attempt.roster,
        bands=[bands[site] for site in sites],
        block=block,
    )


def _round_closed(book: RoundBook, heard: Heard) -> None:
    arguments, block = heard.event.arguments, heard.event.block_number
    page = book.page(heard, arguments["attempt"])
    next_weights, aggregate = bytes32_to_digest(arguments["nextWeights"]), bytes32_to_digest(arguments["aggregate"])
    result = {"aggregate": aggregate, "next_weights": next_weights}
    now = timezone.now()
    page.change(page.attempt, state=AttemptState.CLOSED, closed_at=now, **result)
    closed = {"closed_attempt": arguments["attempt"], "closed_block": block, "closed_at": now}
    page.change(page.round, next_weights=next_weights, **closed)
    page.change(page.run, weights=next_weights)
    survivors = [site for place, site in enumerate(page.attempt.roster) if arguments["survivors"] >> place & 1]
    place = {"round": arguments["round"], "attempt": arguments["attempt"], "block": block}
    page.record("training.round.close", survivors=survivors, **result, **place)


def _attempt_abandoned(book: RoundBook, heard: Heard) -> None:
    page = book.page(heard, heard.event.arguments["attempt"])
    reason = page.attempt.abandoned_reason or ABANDONED[heard.event.arguments["reason"]]
    page.change(page.attempt, abandoned_reason=reason)
    _move(page, AttemptState.ABANDONED)


_READERS = {
    "CommitmentAccepted": _commitment_accepted,
    "CommitmentRefused": _commitment_refused,
    "RoundOpened": _round_opened,
    "RoundClosed": _round_closed,
    "AttemptAbandoned": _attempt_abandoned,
}


def _move(page: Page, state: str) -> None:
    """Change the attempt's state forward; a development chain that mines again finds it there already."""
    if page.attempt.state in ATTEMPT.sources(state):
        page.change(page.attempt, state=state)


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
