"""What training's pages read, each page in a fixed number of queries; policies decide which rows there are."""

from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, Count, Prefetch, Q, QuerySet, Value, When

from consortium.common import blobs
from consortium.kernel.canonical import parse_canonical
from consortium.kernel.errors import InvalidInputError, NotFoundError
from consortium.membership.models import Organization
from training.models import Attempt, Model, Plan, Round, Run, SitePart

_MAX_CARD_BYTES = 16 * 1024 * 1024


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
    """The run's rounds with attempts and parts; a part says `answered` and keeps its answer to itself."""
    answered = Case(When(~Q(vector=""), then=Value(True)), default=Value(False), output_field=BooleanField())
    parts = (
        SitePart.objects.only("attempt_id", "organization_id", "outcome", "step", "code", "text")
        .annotate(answered=answered)
        .order_by("organization_id")
    )
    attempts = Attempt.objects.only(
        *("round_id", "number", "state", "roster", "announced_at", "closed_at", "abandoned_reason", "abandoned_text")
    ).order_by("number")
    nested = Prefetch("attempts", queryset=attempts.prefetch_related(Prefetch("parts", queryset=parts)))
    return list(run.round_set.order_by("number").prefetch_related(nested))


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
