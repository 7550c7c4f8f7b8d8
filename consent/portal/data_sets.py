"""Pages about data sets: who has which columns, under which terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from audit.log.states import with_state
from audit.models import AuditRecord
from audit.models.records import RecordState
from consent import selectors
from consent.models import DataSet
from consent.portal.reads import Purpose, purpose_of
from consortium.common.parts import ProofMark
from consortium.kernel.bands import band_label
from consortium.membership.models import Consortium, Organization
from consortium.membership.portal.chosen import chosen_consortium


@dataclass(frozen=True)
class DataSetCard:
    """A data set as its card shows it."""

    row: DataSet
    record: AuditRecord | None = None

    @property
    def band(self) -> str:
        return band_label(self.row.band)

    @property
    def columns(self) -> list[dict[str, object]]:
        return list(self.row.schema.get("columns", []))

    @property
    def purposes(self) -> list[Purpose]:
        return [purpose_of(code) for code in self.row.purposes]

    @property
    def conditions(self) -> list[Purpose]:
        return [purpose_of(code) for code in self.row.conditions]

    @property
    def proof(self) -> ProofMark:
        signer = _("%(name)s, site key") % {"name": self.row.organization.name}
        state = "anchored" if self.record is not None and self.record.state == RecordState.ANCHORED else "integrated"  # type: ignore[attr-defined]  # annotated
        leaf = self.record.leaf_index if self.record is not None else None  # type: ignore[attr-defined]  # annotated
        return ProofMark(state, signer, self.row.signed_at, digest=self.row.digest, leaf=leaf)


@dataclass(frozen=True)
class SharedColumn:
    """A column by name and kind, and which data sets have it; `differs` where one name has several meanings."""

    name: str
    kind: str
    unit: str
    has: tuple[bool, ...]
    differs: bool
    sites: tuple[str, ...] = ()

    @property
    def marks(self) -> list[tuple[str, bool]]:
        """Each data set's organization, and whether the data set has the column."""
        return list(zip(self.sites, self.has, strict=True))

    @property
    def is_shared(self) -> bool:
        return all(self.has)


@require_GET
@login_required
def data_sets(request: HttpRequest) -> HttpResponse:
    """The data sets of the chosen consortium and the columns that they share."""
    consortium = chosen_consortium(request)
    own: Organization | None = getattr(request, "organization", None)
    cards = _cards(consortium) if consortium else []
    context = {
        "cards": cards,
        "columns_compared": compare(cards),
        "has_own": own is not None and any(card.row.organization_id == own.pk for card in cards),
    }
    return render(request, "consent/data_sets.html", context)


@require_GET
@login_required
def data_set(request: HttpRequest, data_set: UUID) -> HttpResponse:
    """One registration with its schema."""
    found = DataSet.objects.filter(pk=data_set).select_related("organization", "consortium").first()
    if found is None:
        raise Http404
    newest = selectors.data_sets(found.consortium_id).filter(organization=found.organization_id, name=found.name)
    card = DataSetCard(found, _records([found]).get(str(found.pk)))
    context = {"card": card, "newer": next((row for row in newest if row.pk != found.pk), None)}
    return render(request, "consent/data_set.html", context)


def compare(cards: Sequence[DataSetCard]) -> list[SharedColumn]:
    """Every column of any of the data sets, those of all of them first."""
    sites = tuple(card.row.organization.name for card in cards)
    held = [{str(c["name"]): (str(c["kind"]), str(c.get("unit", ""))) for c in card.columns} for card in cards]
    kinds: dict[str, set[tuple[str, str]]] = {}
    for columns in held:
        for name, kind in columns.items():
            kinds.setdefault(name, set()).add(kind)
    rows = [
        SharedColumn(
            name, kind, unit, tuple(columns.get(name) == (kind, unit) for columns in held), len(found) > 1, sites
        )
        for name, found in kinds.items()
        for kind, unit in sorted(found)
    ]
    return sorted(rows, key=lambda row: (-sum(row.has), row.name))


def _cards(consortium: Consortium) -> list[DataSetCard]:
    rows = list(selectors.data_sets(consortium.pk).select_related("organization"))
    records = _records(rows)
    cards = [DataSetCard(row, records.get(str(row.pk))) for row in rows]
    return sorted(cards, key=lambda card: (card.row.organization.name, card.row.name))


def _records(rows: Sequence[DataSet]) -> dict[str, AuditRecord]:
    """The record of each registration in the consortium's log, with how firmly it stands."""
    registered = AuditRecord.objects.filter(
        action="consent.data_set.register", subject_kind="data_set", subject_id__in=[str(row.pk) for row in rows]
    )
    return {record.subject_id: record for record in with_state(registered).defer("canonical")}
