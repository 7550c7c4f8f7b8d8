"""Plans, runs, models and data sets of a consortium, in the words that reports use."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Prefetch

from audit.compliance.sources.plans import plan_facts
from audit.compliance.sources.votes import votes_on
from audit.compliance.training_facts import (
    ColumnFacts,
    DataSetFacts,
    ModelFacts,
    PlanFacts,
    RoundFacts,
    RunFacts,
    SiteFacts,
    TrainingFacts,
)
from audit.content import written_time
from consent import selectors as consent
from consent.domain.purposes import duo_terms, purpose_label
from consent.models import DataSet
from consortium.common import blobs
from consortium.kernel.bands import band_label
from consortium.kernel.canonical import parse_canonical
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.errors import InvalidInputError, NotFoundError
from consortium.kernel.identifiers import to_hex
from training import selectors as training
from training.access import access_model
from training.domain.states import ModelState
from training.models import Attempt, Model, Round, Run, SitePart

_MAX_CARD_BYTES = 16 * 1024 * 1024
_SERVED = (ModelState.RELEASED, ModelState.SUPERSEDED, ModelState.RECALLED)
_FIGURES = (
    ("auc", "AUC"),
    ("auc_error_bound", "AUC is exact within"),
    ("accuracy", "Accuracy"),
    ("calibration_error", "Calibration error"),
)


def training_facts(consortium_id: UUID) -> TrainingFacts:
    """Return every plan, run and data set that the asker's consortium holds, oldest first."""
    plans = [plan_facts(plan) for plan in training.plans(consortium_id).order_by("created_at", "pk")]
    known = {plan.digest: plan for plan in plans if plan is not None}
    runs = _with_rounds(training.runs(consortium_id).order_by("created_at", "pk"))
    return TrainingFacts(
        plans=list(known.values()),
        runs=[_run(run, known.get(run.plan_digest)) for run in runs],
        data_sets=[_data_set(row) for row in consent.data_sets(consortium_id)],
    )


def model_facts(model_id: UUID, facts: TrainingFacts) -> ModelFacts:
    """Return one model with its run and the decisions on both; `NotFoundError` if the asker does not see it."""
    model = access_model(model_id)
    run = next(run for run in facts.runs if run.id == str(model.run_id))
    subjects = [to_hex(digest_to_bytes32(model.digest)), *_plan_subjects(model)]
    return ModelFacts(
        id=str(model.pk),
        digest=model.digest,
        card=model.card_digest,
        state=model.state,
        author=str(model.organization_id),
        made=written_time(model.created_at),
        block=model.confirmed_block,
        released_block=model.released_block,
        recalled_block=model.recalled_block,
        limits=_limits(model),
        earlier=tuple(_earlier(model)),
        run=run,
        votes=votes_on(model.consortium_id, subjects),
    )


def _plan_subjects(model: Model) -> list[str]:
    return [model.run.plan.subject] if model.run.plan else []


def _earlier(model: Model) -> Iterable[str]:
    same = training.models(model.consortium_id).filter(run__plan_digest=model.run.plan_digest, state__in=_SERVED)
    return same.filter(created_at__lt=model.created_at).order_by("created_at").values_list("digest", flat=True)


def _limits(model: Model) -> tuple[str, ...]:
    """What the card says of the model's limits; nothing where this deployment does not hold the card."""
    try:
        data = bytes(blobs.get(consortium_id=model.consortium_id, digest=model.card_digest).data)
        card: Any = parse_canonical(data, max_bytes=_MAX_CARD_BYTES)
    except (NotFoundError, InvalidInputError):
        return ()
    return tuple(str(limit) for limit in card.get("limits", [])) if isinstance(card, dict) else ()


def _with_rounds(runs: Any) -> list[Run]:
    parts = SitePart.objects.only("attempt_id", "organization_id", "band", "epoch").order_by("organization_id")
    attempts = Attempt.objects.only("round_id", "number", "roster", "announced_at").order_by("number")
    rounds = Round.objects.filter(closed_at__isnull=False).order_by("number")
    nested = Prefetch("attempts", queryset=attempts.prefetch_related(Prefetch("parts", queryset=parts)))
    return list(runs.prefetch_related(Prefetch("round_set", queryset=rounds.prefetch_related(nested))))


def _run(run: Run, plan: PlanFacts | None) -> RunFacts:
    return RunFacts(
        id=str(run.pk),
        plan=plan,
        plan_digest=run.plan_digest,
        author=str(run.organization_id),
        backend=run.backend,
        state=run.state,
        started=written_time(run.started_at) if run.started_at else None,
        ended=written_time(run.ended_at) if run.ended_at else None,
        rounds=tuple(_round(one) for one in run.round_set.all()),
    )


def _round(one: Round) -> RoundFacts:
    attempts = list(one.attempts.all())
    closing = next((attempt for attempt in attempts if attempt.number == one.closed_attempt), None)
    parts = {str(part.organization_id): part for part in closing.parts.all()} if closing else {}
    roster = [site for site in closing.roster if site in parts] if closing else []
    if one.closed_at is None:
        raise RuntimeError("Only closed rounds are told of.")
    return RoundFacts(
        number=one.number,
        attempts=len(attempts),
        closed=written_time(one.closed_at),
        block=one.closed_block,
        seconds=max(0, round((one.closed_at - attempts[0].announced_at).total_seconds())) if attempts else None,
        sites=tuple(_site(parts[site]) for site in roster),
        weights=one.weights,
        next_weights=one.next_weights,
        figures=tuple(_figures(one.metrics)),
    )


def _site(part: SitePart) -> SiteFacts:
    return SiteFacts(
        organization=str(part.organization_id),
        cohort=None if part.band is None else band_label(part.band),
        epoch=part.epoch,
    )


def _figures(metrics: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for name, title in _FIGURES:
        if isinstance(value := metrics.get(name), int | float):
            yield title, f"{value:.4f}"
    if isinstance(rows := metrics.get("rows_band"), int):
        yield "Rows", band_label(rows)


def _data_set(row: DataSet) -> DataSetFacts:
    terms = duo_terms()
    return DataSetFacts(
        organization=str(row.organization_id),
        name=row.name,
        size=band_label(row.band),
        columns=tuple(_column(column) for column in row.schema.get("columns", [])),
        purposes=tuple(f"{purpose_label(purpose)} ({purpose})" for purpose in row.purposes),
        conditions=tuple(f"{terms[code].label} ({code})" for code in row.conditions),
        signed=written_time(row.signed_at),
        schema_digest=row.schema_digest,
        digest=row.digest,
    )


def _column(column: dict[str, Any]) -> ColumnFacts:
    return ColumnFacts(
        name=str(column["name"]),
        kind=str(column["kind"]),
        unit=str(column.get("unit", "")),
        categories=len(column.get("categories", [])),
    )
