"""A run's rows as the pure rule of progress sees them."""

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from consortium.common.models import TransactionState
from training.domain.progress import AttemptFacts, RunFacts
from training.models import Attempt, Run, RunOrder


def read_facts(run_id: UUID) -> RunFacts:
    """Return what decides the next step."""
    rounds, chain_state, pausing = Run.objects.values_list(
        "rounds", "chain_state", Exists(_pauses(OuterRef("pk")))
    ).get(pk=run_id)
    latest = _latest(run_id)
    previous = None
    if latest is not None and latest.round.number > 1:
        previous = _latest(run_id, latest.round.number - 1)
    return RunFacts(
        rounds=rounds,
        is_open=chain_state == TransactionState.CONFIRMED,
        is_pausing=pausing,
        latest=None if latest is None else _facts(latest),
        previous=None if previous is None else _facts(previous),
    )


def is_pausing(run_id: UUID) -> bool:
    """Whether a pause was ordered that nobody has obeyed yet."""
    return _pauses(run_id).exists()


def _pauses(run: UUID | OuterRef) -> QuerySet[RunOrder]:
    return RunOrder.objects.filter(run_id=run, kind=RunOrder.Kind.PAUSE, obeyed_at__isnull=True)


def _latest(run_id: UUID, round_number: int | None = None) -> Attempt | None:
    found = Attempt.objects.filter(run_id=run_id).select_related("round")
    found = found.defer("roster", "survivors", "opened_secrets")
    if round_number is not None:
        found = found.filter(round__number=round_number)
    return found.order_by("-round__number", "-number").first()


def _facts(attempt: Attempt) -> AttemptFacts:
    return AttemptFacts(
        round=attempt.round.number,
        number=attempt.number,
        state=attempt.state,
        announcement=attempt.announcement,
        committed=attempt.committed_at is not None,
        collected=attempt.collected_at is not None,
        signed=attempt.signed_at is not None,
        released=attempt.released_at is not None,
        aggregated=attempt.aggregated_at is not None,
        verified=attempt.verified_at is not None,
    )
