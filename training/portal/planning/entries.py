"""The form's entries as they are first shown: suggested for the members' offers, or those of a plan that is copied."""

from collections.abc import Sequence
from typing import Any

from django.http import QueryDict

from consent.domain.purposes import DISEASE_RESEARCH, HEALTH_RESEARCH
from training.domain.plan_document import PlanDocument
from training.portal.planning.form import ask_name
from training.portal.planning.kinds import KINDS, Column
from training.portal.planning.numbers import NUMBERS
from training.portal.planning.offers import Offer, common_columns
from training.portal.planning.words import category_choices

_MULTIPLE = frozenset({"sites", "conditions", "categories", "features", "metrics", "recipients"})


def suggested_entries(offers: Sequence[Offer], recipients: Sequence[str]) -> QueryDict:
    """Return entries of a plan over the commonest data set; title, target and its limit stay the author's."""
    chosen = _commonest([offer for offer in offers if offer.fits and offer.data_set])
    columns = common_columns(chosen)
    numeric = [column.name for column in columns if column.kind == "numeric"]
    target = numeric[-1] if numeric else ""
    return _query(
        {
            "title": "",
            "purpose": HEALTH_RESEARCH,
            "sites": [offer.key for offer in chosen],
            "categories": [category_choices()[0][0]],
            "target": target,
            "greater_than": "",
            "features": [column.name for column in columns if column.name != target],
            "algorithm": "logistic_regression",
            "minimum_band": "10",
            "metrics": ["auc", "accuracy", "calibration"],
            "serving_purpose": HEALTH_RESEARCH,
            "recipients": list(recipients),
            "ring_bits": "64",
            **{n.name: "" if callable(n.default) else _plain(n.default) for n in NUMBERS},
        }
    )


def entries_of(document: PlanDocument, offers: Sequence[Offer]) -> QueryDict:
    """Return the entries that give this document again, as far as its sites still offer what it names."""
    offered = {code for code, _label in category_choices()}
    value = document.to_json()
    purpose, _, disease = document.purpose.partition("[")
    chosen = _covering(document, offers)
    features = {feature["name"]: feature for feature in value["training"]["features"]}
    return _query(
        {
            "title": document.title,
            "purpose": purpose if purpose == DISEASE_RESEARCH else document.purpose,
            "disease": disease.removesuffix("]"),
            "conditions": list(document.conditions),
            "sites": [offer.key for offer in chosen],
            "categories": [code for code in document.categories if code in offered],
            "more_categories": " ".join(code for code in document.categories if code not in offered),
            "target": document.training_plan.target.name,
            "greater_than": _threshold(value["training"]["target"]),
            "features": list(features),
            "algorithm": value["training"]["algorithm"],
            "minimum_band": str(document.terms.minimum_band),
            "metrics": list(document.metrics),
            "serving_purpose": document.serving_purpose,
            "recipients": [str(site) for site in document.recipients],
            "ring_bits": str(document.training_plan.ring_bits),
            **{number.name: _plain(_at(value, number.place)) for number in NUMBERS},
            **_asked(common_columns(chosen), features),
        }
    )


def _asked(columns: Sequence[Column], features: dict[str, Any]) -> dict[str, str]:
    return {
        ask_name(ask, column): _plain(features[column.name][ask.name])
        for column in columns
        for ask in KINDS[column.kind].asks
        if ask.name in features.get(column.name, {})
    }


def _covering(document: PlanDocument, offers: Sequence[Offer]) -> list[Offer]:
    """One fitting data set a site that has the document's columns."""
    wanted = set(document.data_schema.columns)
    found: dict[Any, Offer] = {}
    for offer in offers:
        if offer.fits and offer.data_set and offer.site.id in document.sites:
            names = {column["name"] for column in offer.data_set.schema["columns"]}
            if wanted <= names:
                found.setdefault(offer.site.id, offer)
    return list(found.values())


def _commonest(offers: Sequence[Offer]) -> list[Offer]:
    names = [offer.data_set.name for offer in offers if offer.data_set]
    best = max(sorted(set(names)), key=names.count, default="")
    found: dict[Any, Offer] = {}
    for offer in offers:
        if offer.data_set and offer.data_set.name == best:
            found.setdefault(offer.site.id, offer)
    return list(found.values())


def _at(value: Any, place: Sequence[str]) -> Any:
    for key in place:
        value = value[key]
    return value


def _threshold(target: dict[str, Any]) -> str:
    return _plain(target["greater_than"]) if "greater_than" in target else ""


def _plain(value: float) -> str:
    """Return a number as somebody would type it."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _query(entries: dict[str, Any]) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, value in entries.items():
        if name in _MULTIPLE:
            query.setlist(name, value)
        else:
            query[name] = value
    return query
