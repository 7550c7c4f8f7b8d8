"""What members offer a plan: their data sets, whether each fits its purpose, and the columns they have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from consent.domain.purposes import covers, duo_terms, implied_conditions, purpose_label
from consent.models import DataSet
from consent.selectors import data_sets
from consortium.kernel.bands import band_label
from training.federated.column_features import RULES
from training.portal.hues import Site, Sites
from training.portal.planning.kinds import KINDS, Column

_BOUNDS = ("minimum", "maximum")


@dataclass(frozen=True, slots=True)
class Offer:
    """One member's data set, or None where it has registered none; `why_not` is empty where it fits."""

    site: Site
    data_set: DataSet | None
    why_not: str

    @property
    def fits(self) -> bool:
        return not self.why_not

    @property
    def key(self) -> str:
        return str(self.data_set.pk) if self.data_set else ""

    @property
    def columns(self) -> int:
        return len(self.data_set.schema["columns"]) if self.data_set else 0

    @property
    def rows(self) -> str:
        return band_label(self.data_set.band) if self.data_set else "-"


@dataclass(frozen=True, slots=True)
class Difference:
    """A column that not all chosen data sets have alike, and why it is not offered."""

    name: str
    why: str


def offers_of(consortium_id: UUID, sites: Sites, purpose: str, conditions: Sequence[str]) -> list[Offer]:
    """Return every member's data sets, those that fit first."""
    found = [_offer(row, sites, purpose, conditions) for row in data_sets(consortium_id)]
    offering = {offer.site.id for offer in found}
    missing = [Offer(site, None, _missing(site, sites)) for site in sites.members if site.id not in offering]
    return sorted([*found, *missing], key=lambda offer: (not offer.fits, offer.site.name))


def common_columns(chosen: Sequence[Offer]) -> list[Column]:
    """Return the columns that all chosen data sets have with one kind, in the order of the first."""
    schemas = [_schema(offer) for offer in chosen]
    if not schemas:
        return []
    return [_joined(name, [schema[name] for schema in schemas]) for name in schemas[0] if _is_common(name, schemas)]


def differences(chosen: Sequence[Offer]) -> list[Difference]:
    """Return the columns that are not offered, each with its reason."""
    schemas = [_schema(offer) for offer in chosen]
    names = sorted({name for schema in schemas for name in schema})
    return [Difference(name, _why_different(name, chosen, schemas)) for name in names if not _is_common(name, schemas)]


def _offer(row: DataSet, sites: Sites, purpose: str, conditions: Sequence[str]) -> Offer:
    site = sites[row.organization_id]
    if site.id not in sites.active:
        return Offer(site, row, _("It is not an active member now."))
    if not any(covers(permitted, purpose) for permitted in row.purposes):
        permitted = "; ".join(purpose_label(one) for one in row.purposes)
        return Offer(site, row, _("It is registered for other purposes: %(purposes)s.") % {"purposes": permitted})
    if unmet := set(row.conditions) - implied_conditions(purpose, conditions):
        labels = ", ".join(sorted(duo_terms()[code].label for code in unmet))
        return Offer(site, row, _("It asks for a condition that the plan does not state: %(what)s.") % {"what": labels})
    return Offer(site, row, "")


def _missing(site: Site, sites: Sites) -> str:
    if site.id not in sites.active:
        return _("It is not an active member now.")
    return _("It has registered no data set. Its steward does so with consilium-site data-set register.")


def _schema(offer: Offer) -> dict[str, Column]:
    columns = offer.data_set.schema["columns"] if offer.data_set else []
    return {
        column["name"]: Column(
            column["name"],
            column["kind"],
            tuple(column.get("categories", ())),
            column.get("unit", ""),
            {key: column[key] for key in (*_BOUNDS, *sorted(RULES)) if key in column},
        )
        for column in columns
        if column["kind"] in KINDS
    }


def _is_common(name: str, schemas: Sequence[dict[str, Column]]) -> bool:
    found = [schema[name] for schema in schemas if name in schema]
    return len(found) == len(schemas) and len({(column.kind, column.unit) for column in found}) == 1


def _joined(name: str, columns: Sequence[Column]) -> Column:
    """One column with every category and the widest bounds that a site has, and the first rule that one proposes."""
    categories = tuple(dict.fromkeys(category for column in columns for category in column.categories))
    declared = [column.declared for column in columns]
    rules = {rule: [one[rule] for one in declared if rule in one] for rule in RULES}
    is_disputed = any(one != found[0] for found in rules.values() for one in found)
    joined = {rule: found[0] for rule, found in rules.items() if found} | _widest(declared)
    return Column(name, columns[0].kind, categories, columns[0].unit, joined, is_disputed)


def _widest(declared: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    bounded = [one for one in declared if "minimum" in one]
    if not bounded:
        return {}
    return {"minimum": min(one["minimum"] for one in bounded), "maximum": max(one["maximum"] for one in bounded)}


def _why_different(name: str, chosen: Sequence[Offer], schemas: Sequence[dict[str, Column]]) -> str:
    without = [offer.site.name for offer, schema in zip(chosen, schemas, strict=True) if name not in schema]
    if without:
        return _("not at %(sites)s") % {"sites": ", ".join(without)}
    return _("another kind or unit at some of the sites")
