"""The log of one object: what the consortium's records say of it, newest first, each as a sentence."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from audit.log.states import with_state
from audit.models import AuditRecord
from audit.sentences import sentence
from training.portal.hues import Sites

MOST = 12
_PARTS = {
    "coordinator": _("Coordinator"),
    "projector": _("All members"),
    "sweep": _("Platform"),
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One record as a line; `state` is how firmly it stands."""

    id: UUID
    at: datetime
    by: str
    words: str
    state: str
    is_refused: bool
    correlation_id: str


def happenings_of(kind: str, identifier: UUID, consortium_id: UUID, sites: Sites, most: int = MOST) -> list[Happening]:
    """Return the newest records of the consortium's log about one object."""
    rows = AuditRecord.objects.filter(
        log__consortium_id=consortium_id, subject_kind=kind, subject_id=str(identifier)
    ).defer("canonical")
    return [_line(row, sites) for row in with_state(rows).order_by("-recorded_at", "-id")[:most]]


def _line(row: Any, sites: Sites) -> Happening:
    return Happening(
        id=row.pk,
        at=row.recorded_at,
        by=_by(row, sites),
        words=sentence(row.action, row.body, sites.names),
        state=row.state,
        is_refused=row.outcome == "refused",
        correlation_id=row.correlation_id,
    )


def _by(row: Any, sites: Sites) -> str:
    if row.actor_organization_id is not None:
        return sites[row.actor_organization_id].name
    return str(_PARTS.get(row.actor, row.actor))
