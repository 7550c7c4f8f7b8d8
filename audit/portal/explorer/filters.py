"""What the explorer filters by, and its pages: a cursor names the last record of the one before."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from audit.actions import actions
from audit.models import AuditRecord
from audit.models.records import ActorKind, Outcome

A_PAGE = 50


class FilterForm(forms.Form):
    """The filters; an empty one lets everything through."""

    log = forms.ChoiceField(label=_("Log"), required=False)
    action = forms.ChoiceField(label=_("Act"), required=False)
    actor = forms.ChoiceField(label=_("Done by"), required=False)
    organization = forms.ChoiceField(label=_("Member"), required=False)
    outcome = forms.ChoiceField(label=_("Outcome"), required=False)
    subject = forms.CharField(label=_("Object's id"), required=False, max_length=80)
    correlation = forms.UUIDField(label=_("Correlation id"), required=False)
    since = forms.DateField(label=_("From"), required=False)
    until = forms.DateField(label=_("Until"), required=False)
    digest = forms.CharField(label=_("Digest or other text in it"), required=False, max_length=100)

    def __init__(self, data: Mapping[str, Any], *, logs: Iterable[str], members: Mapping[UUID, str]) -> None:
        super().__init__(data)
        known = {"consortium": _("The consortium's"), "organization": _("Our organization's own")}
        self._offer("log", [(name, known[name]) for name in logs])
        self._offer("action", [("", _("Every act")), *((name, name) for name in _families())])
        self._offer("actor", [("", _("Anybody")), *ActorKind.choices])
        self._offer("outcome", [("", _("Any outcome")), *Outcome.choices])
        self._offer("organization", [("", _("Any member")), *((str(k), v) for k, v in members.items())])

    def _offer(self, name: str, choices: list[Any]) -> None:
        setattr(self.fields[name], "choices", choices)  # noqa: B010  the stub of Field knows no choices


def filtered(records: QuerySet[AuditRecord], asked: Mapping[str, Any]) -> QuerySet[AuditRecord]:
    """Return the records that pass all filters that are set."""
    for name, make in _FILTERS.items():
        if value := asked.get(name):
            records = make(records, value)
    return records


@dataclass(frozen=True, slots=True)
class Page:
    """One page of records, newest first, and the cursor of the next; empty where there is none."""

    rows: list[Any]
    following: str


def page_of(records: QuerySet[Any], cursor: str) -> Page:
    """Return the page after a cursor; an unreadable cursor is the beginning."""
    if place := _place(cursor):
        at, identifier = place
        records = records.filter(Q(recorded_at__lt=at) | Q(recorded_at=at, pk__lt=identifier))
    rows = list(records.order_by("-recorded_at", "-pk")[: A_PAGE + 1])
    more = len(rows) > A_PAGE
    return Page(rows[:A_PAGE], _cursor(rows[A_PAGE - 1]) if more else "")


def _families() -> list[str]:
    """Every act by name, and before them the words that several begin with."""
    names = list(actions())
    heads = {name.partition(".")[0] for name in names} | {name.rpartition(".")[0] for name in names}
    return sorted({*heads, *names})


def _by_action(records: QuerySet[AuditRecord], value: str) -> QuerySet[AuditRecord]:
    return records.filter(Q(action=value) | Q(action__startswith=f"{value}."))


def _by_text(records: QuerySet[AuditRecord], value: str) -> QuerySet[AuditRecord]:
    found = records.annotate(text=Cast("body", TextField()))
    return found.filter(Q(digest=value) | Q(text__icontains=value) | Q(subject_id=value))


_FILTERS = {
    "action": _by_action,
    "actor": lambda records, value: records.filter(actor_kind=value),
    "organization": lambda records, value: records.filter(actor_organization_id=value),
    "outcome": lambda records, value: records.filter(outcome=value),
    "subject": lambda records, value: records.filter(subject_id=value),
    "correlation": lambda records, value: records.filter(correlation_id=str(value)),
    "since": lambda records, value: records.filter(recorded_at__gte=datetime.combine(value, time.min, UTC)),
    "until": lambda records, value: records.filter(recorded_at__lte=datetime.combine(value, time.max, UTC)),
    "digest": _by_text,
}


def _cursor(row: AuditRecord) -> str:
    return base64.urlsafe_b64encode(f"{row.recorded_at.isoformat()} {row.pk}".encode()).decode()


def _place(cursor: str) -> tuple[datetime, UUID] | None:
    try:
        at, _space, identifier = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        return datetime.fromisoformat(at), UUID(identifier)
    except (ValueError, binascii.Error):
        return None
