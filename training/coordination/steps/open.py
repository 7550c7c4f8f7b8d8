"""Opening an attempt on the chain; the same transaction closes the round before. The roster is what the block says."""

from uuid import UUID

from consortium.kernel.identifiers import uuid_to_bytes32
from contracts.models import OutboxTransaction
from training.coordination.desk import Desk
from training.coordination.ledger import (
    ask_once,
    closing_of,
    ensure_openings_stand,
    failure_of,
    opening_name,
    opening_of,
)
from training.coordination.steps.announce import ask_anew
from training.domain.admission import largest_openable
from training.domain.states import AttemptState
from training.errors import RunFailedError
from training.models import Attempt, SitePart

# The commitments went stale on their way: sites are asked anew.
STALE = frozenset({"LedgerTooFewSites", "LedgerBoundBroken"})


def open_attempt(desk: Desk, round_number: int, number: int) -> None:
    """Relay the commitments and wait for `RoundOpened`.

    Raises
    ------
    RunFailedError
        If the ledger allows no further attempt, or refuses for another reason that lasts.
    """
    attempt = desk.attempt(round_number, number)
    with desk.write():
        asked = _ask(desk, attempt)
    desk.at("opening_asked")
    error = desk.waiter.until(lambda: _outcome(desk, attempt, asked))
    desk.at("opened")
    if not error:
        return
    if error in STALE:
        ask_anew(desk, attempt)
        return
    ensure_openings_stand(desk)
    raise RunFailedError(
        "attempts_used_up" if error == "LedgerAttemptsUsedUp" else "opening_refused",
        f"The ledger opens no attempt {number} of round {round_number}: {error}.",
        ends_on_chain=error == "LedgerAttemptsUsedUp",
    )


def _ask(desk: Desk, attempt: Attempt) -> OutboxTransaction:
    run = uuid_to_bytes32(desk.run_id)
    what = opening_name(attempt)
    unclosed = Attempt.objects.filter(
        run_id=desk.run_id, round__number=attempt.round.number - 1, state=AttemptState.REVEALED
    )
    if (before := unclosed.select_related("round").first()) is None:
        return ask_once(desk, what, "openAttempt", lambda: [run, opening_of(attempt, _sites(desk, attempt))])
    return ask_once(
        desk, what, "advanceRound", lambda: [run, closing_of(before), opening_of(attempt, _sites(desk, attempt))]
    )


def _sites(desk: Desk, attempt: Attempt) -> list[UUID]:
    """Return who may be on the roster: more than the bound allows stay out, in the order of their ids."""
    committed = attempt.parts.filter(outcome=SitePart.Outcome.COMMITTED).order_by("organization_id")
    sites = list(committed.values_list("organization_id", flat=True))
    return sites[: largest_openable(desk.plan.terms, len(sites))]


def _outcome(desk: Desk, attempt: Attempt, asked: OutboxTransaction) -> str | None:
    """Return "" once the attempt is open, the contract's word if it refused, None before."""
    if desk.attempt(attempt.round.number, attempt.number).state != AttemptState.ANNOUNCED:
        return ""
    error = failure_of(asked)
    return error if error is None else error or "without a readable reason"
