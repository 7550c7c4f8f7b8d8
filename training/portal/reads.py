"""What training's pages read, each page in a fixed number of queries; policies decide which rows there are."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, Count, Prefetch, Q, QuerySet, Value, When
from django.db.models.fields.json import KeyTransform

from consortium.common import blobs
from consortium.kernel.canonical import parse_canonical
from consortium.kernel.errors import InvalidInputError, NotFoundError
from consortium.membership.models import Organization
from training.models import Attempt, LineageRow, Model, Plan, Round, Run, RunOrder, SitePart
from training.portal.hues import Site, Sites

MOST_TASKS = 20
_MAX_CARD_BYTES = 16 * 1024 * 1024
# What a page may know of a site's answers: that they came.
_ANSWERS = (
    ("has_committed", "commitment"),
    ("has_dealt", "deal"),
    ("has_vector", "vector"),
    ("has_signed", "survivor_signature"),
    ("has_released", "release"),
    ("has_verified", "result_signature"),
)
_DOCUMENTS = frozenset({"commitment", "deal", "release"})


def plans() -> QuerySet[Plan]:
    """Plans of one's consortia, newest first."""
    return Plan.objects.select_related("organization", "consortium", "proposal").order_by("-created_at")


def runs() -> QuerySet[Run]:
    """Runs of one's consortia, newest first, each with `closed`: how many of its rounds are closed."""
    closed = Count("round_set", filter=Q(round_set__closed_at__isnull=False))
    return (
        Run.objects.select_related("organization", "consortium", "plan").annotate(closed=closed).order_by("-created_at")
    )


def models() -> QuerySet[Model]:
    """Models of one's consortia, newest first."""
    return Model.objects.select_related("organization", "consortium", "run__plan", "proposal").order_by("-created_at")


def rounds_of(run: Run) -> list[Round]:
    """The run's rounds with attempts and parts; a part says which answers it gave and keeps them to itself."""
    parts = (
        SitePart.objects.only(
            *("attempt_id", "organization_id", "outcome", "step", "code", "text", "band", "epoch"),
        )
        .annotate(entry=KeyTransform("seq", "commitment"), **{name: _is_given(field) for name, field in _ANSWERS})
        .order_by("organization_id")
    )
    attempts = Attempt.objects.defer("survivors", "opened_secrets", "roster_digest").order_by("number")
    nested = Prefetch("attempts", queryset=attempts.prefetch_related(Prefetch("parts", queryset=parts)))
    return list(run.round_set.order_by("number").prefetch_related(nested))


def _is_given(field: str) -> Case:
    missing = Q(**{f"{field}__isnull": True}) | (Q() if field in _DOCUMENTS else Q(**{field: ""}))
    return Case(When(missing, then=Value(False)), default=Value(True), output_field=BooleanField())


def names_of(organizations: set[UUID]) -> dict[UUID, str]:
    """Names of those organizations that the asker may see."""
    return dict(Organization.objects.filter(pk__in=organizations).values_list("pk", "name"))


def card_of(model: Model) -> dict[str, Any] | None:
    """The model's card, or None where this deployment does not hold it."""
    try:
        data = bytes(blobs.get(consortium_id=model.consortium_id, digest=model.card_digest).data)
        card = parse_canonical(data, max_bytes=_MAX_CARD_BYTES)
    except (NotFoundError, InvalidInputError):
        return None
    return card if isinstance(card, dict) else None


def open_orders(run: Run) -> list[RunOrder]:
    """What people ordered of the run and its coordinator has not obeyed yet."""
    return list(run.orders.filter(obeyed_at__isnull=True).order_by("created_at"))


@dataclass(frozen=True, slots=True)
class Task:
    """One task of the run's back end as the page shows it; a site of None is the platform."""

    row: LineageRow
    site: Site | None


def tasks_of(run: Run, sites: Sites) -> list[Task]:
    """The newest tasks of the back end; all of them are at the API."""
    rows = LineageRow.objects.filter(run=run).order_by("-created_at")[:MOST_TASKS]
    return [Task(row, sites[row.organization_id] if row.organization_id else None) for row in rows]
