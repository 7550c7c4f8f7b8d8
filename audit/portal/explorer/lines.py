"""Records as lines: what happened in words, who did it, how it ended, how firmly it stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from audit.models import AuditRecord
from audit.models.records import ActorKind
from audit.sentences import organizations_in, sentence
from consortium.membership.models import Organization

_PARTS: Mapping[str, str | Promise] = {
    "coordinator": lazy("Coordinator"),
    "projector": lazy("All members, by the chain"),
    "sweep": lazy("Platform"),
}
# The pages that show an object, by the kind of a record's subject.
PAGES = {"run": "run", "plan": "plan", "model": "model", "proposal": "proposal"}


@dataclass(frozen=True, slots=True)
class Line:
    """One record as a list shows it; `page` names the page of its subject, empty for none."""

    id: UUID
    at: datetime
    words: str
    by: str
    action: str
    is_refused: bool
    error: str
    state: str
    leaf: int | None
    page: str
    subject_kind: str
    subject_id: str
    correlation_id: str


def lines_of(rows: Iterable[Any]) -> list[Line]:
    """Return the records as lines, organizations by the names that the reader may see."""
    kept = list(rows)
    names = _names(kept)
    return [line_of(row, names) for row in kept]


def line_of(row: Any, names: Mapping[UUID, str]) -> Line:
    return Line(
        id=row.pk,
        at=row.recorded_at,
        words=sentence(row.action, row.body, names, subject=_subject(row, names)),
        by=_by(row, names),
        action=row.action,
        is_refused=row.outcome == "refused",
        error=row.error_code.replace("_", " "),
        state=getattr(row, "state", ""),
        leaf=getattr(row, "leaf_index", None),
        page=PAGES.get(row.subject_kind, "") if _is_uuid(row.subject_id) else "",
        subject_kind=row.subject_kind.replace("_", " "),
        subject_id=row.subject_id,
        correlation_id=row.correlation_id,
    )


def _names(rows: Iterable[AuditRecord]) -> dict[UUID, str]:
    wanted: set[UUID] = set()
    for row in rows:
        wanted |= organizations_in(row.body)
        wanted |= {row.actor_organization_id} if row.actor_organization_id else set()
        wanted |= {UUID(row.subject_id)} if row.subject_kind == "organization" else set()
    return dict(Organization.objects.filter(pk__in=wanted).values_list("pk", "name"))


def _subject(row: AuditRecord, names: Mapping[UUID, str]) -> str:
    return names.get(UUID(row.subject_id), "") if row.subject_kind == "organization" else ""


def _by(row: AuditRecord, names: Mapping[UUID, str]) -> str:
    organization = names.get(row.actor_organization_id, "") if row.actor_organization_id else ""
    if row.actor_kind == ActorKind.PERSON:
        return _("A person of %(name)s") % {"name": organization or _("no organization")}
    if row.actor_kind == ActorKind.AGENT:
        return _("The agent of %(name)s") % {"name": organization or _("a former member")}
    return str(_PARTS.get(row.actor, row.actor))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
