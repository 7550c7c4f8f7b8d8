"""Reads about training; the database's policies decide which rows there are."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from training.domain.states import PlanState
from training.models import Attempt, ForeignModel, LineageRow, Model, Peer, Plan, Round, Run, SitePart


def plans(consortium_id: UUID) -> QuerySet[Plan]:
    return Plan.objects.filter(consortium_id=consortium_id).order_by("-created_at")


def drafts_of(organization_id: UUID) -> QuerySet[Plan]:
    """The organization's plans that its agent may propose."""
    return Plan.objects.filter(organization_id=organization_id, state=PlanState.DRAFT).select_related("consortium")


def runs(consortium_id: UUID) -> QuerySet[Run]:
    return Run.objects.filter(consortium_id=consortium_id).order_by("-created_at")


def run_with_rounds(run_id: UUID) -> Run:
    """The run with rounds, attempts and sites' parts, in four queries; answers of sites are not read."""
    parts = SitePart.objects.only(
        *("attempt_id", "organization_id", "outcome", "step", "code", "text", "band", "epoch")
    ).order_by("organization_id")
    attempts = Attempt.objects.defer("survivors", "opened_secrets").order_by("number")
    rounds = Round.objects.order_by("number").prefetch_related(
        Prefetch("attempts", queryset=attempts.prefetch_related(Prefetch("parts", queryset=parts)))
    )
    return Run.objects.prefetch_related(Prefetch("round_set", queryset=rounds)).get(pk=run_id)


def tasks_of(run: Run) -> QuerySet[LineageRow]:
    return LineageRow.objects.filter(run=run).order_by("-created_at")


def models(consortium_id: UUID) -> QuerySet[Model]:
    return Model.objects.filter(consortium_id=consortium_id).order_by("-created_at")


def peers(consortium_id: UUID) -> QuerySet[Peer]:
    return Peer.objects.filter(consortium_id=consortium_id).order_by("peer")


def foreign_models(consortium_id: UUID) -> QuerySet[ForeignModel]:
    """Models of other consortia, each with its peer and what was said of it."""
    rows = ForeignModel.objects.filter(consortium_id=consortium_id).select_related("peer")
    return rows.prefetch_related("statements").order_by("-proven_at", "digest")
