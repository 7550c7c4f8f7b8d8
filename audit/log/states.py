"""How firmly a record stands: recorded, integrated, anchored."""

from typing import TYPE_CHECKING, TypedDict

from django.db.models import Case, Exists, OuterRef, QuerySet, Subquery, Value, When

from audit.models import AuditLeaf, AuditRecord, Checkpoint
from audit.models.records import RecordState
from consortium.common.models import TransactionState

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Standing(TypedDict):
    """What is annotated."""

    leaf_index: int | None
    state: str


def with_state(records: QuerySet[AuditRecord]) -> "QuerySet[WithAnnotations[AuditRecord, Standing]]":
    """Annotate `leaf_index` (None before integration) and `state` (a `RecordState`)."""
    leaf = AuditLeaf.objects.filter(record=OuterRef("pk"))
    anchored = Checkpoint.objects.filter(
        log=OuterRef("log"), size__gt=OuterRef("leaf_index"), anchor__chain_state=TransactionState.CONFIRMED
    )
    return records.annotate(leaf_index=Subquery(leaf.values("index"))).annotate(
        state=Case(
            When(Exists(anchored), then=Value(RecordState.ANCHORED.value)),
            When(leaf_index__isnull=False, then=Value(RecordState.INTEGRATED.value)),
            default=Value(RecordState.RECORDED.value),
        )
    )
