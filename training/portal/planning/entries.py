"""The form's entries as they are first shown: suggested for the members' offers, or those of a plan that is copied."""

from collections.abc import Sequence
from typing import Any

from django.http import QueryDict

from consent.domain.purposes import DISEASE_RESEARCH, HEALTH_RESEARCH
from training.domain.plan_document import PlanDocument
from training.portal.planning.column_fields import ask_name
from training.portal.planning.kinds import Column, answers_for
from training.portal.planning.numbers import NUMBERS
from training.portal.planning.offers import Offer, common_columns
from training.portal.planning.words import category_choices, plain

_MULTIPLE = frozenset({"sites", "conditions", "categories", "features", "named_only", "metrics", "recipients"})


def suggested_entries(offers: Sequence[Offer], recipients: Sequence[str]) -> QueryDict:
    """Return entries of a plan over the commonest data set; title, target and its limit stay the author's."""
    chosen = _commonest([offer for offer in offers if offer.fits and offer.data_set])
    columns = common_columns(chosen)
    # Outcomes mostly stand last in a table.
    target = columns[-1].name if columns else ""
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
            **{n.name: "" if callable(n.default) else plain(n.default) for n in NUMBERS},
        }
    )


def entries_of(document: PlanDocument, offers: Sequence[Offer]) -> QueryDict:
    """Return the entries that give this document again, as far as its sites still offer what it names."""
    offered = {code for code, _label in category_choices()}
    value = document.to_json()
    purpose, _, disease = document.purpose.partition("[")
    chosen = _covering(document, offers)
    features = {feature["name"]: feature for feature in value["training"]["features"]}
    schema = [column["name"] for column in value["data_schema"]["columns"]]
    target = value["training"]["target"]
    return _query(
        {
            "title": document.title,
            "purpose": purpose if purpose == DISEASE_RESEARCH else document.purpose,
            "disease": disease.removesuffix("]"),
            "conditions": list(document.conditions),
            "sites": [offer.key for offer in chosen],
            "categories": [code for code in document.categories if code in offered],
            "more_categories": " ".join(code for code in document.categories if code not in offered),
            "target": target["name"],
            "greater_than": plain(target["greater_than"]) if "greater_than" in target else "",
            "equals": str(target.get("equals", "")),
            "features": list(features),
            "named_only": [name for name in schema if name not in features and name != target["name"]],
            "order": " ".join(schema),
            "algorithm": value["training"]["algorithm"],
            "minimum_band": str(document.terms.minimum_band),
            "metrics": list(document.metrics),
            "serving_purpose": document.serving_purpose,
            "recipients": [str(site) for site in document.recipients],
            "ring_bits": str(document.training_plan.ring_bits),
            **{number.name: "" if (found := number.read(value)) is None else plain(found) for number in NUMBERS},
            **_asked(common_columns(chosen), features),
        }
    )


def _asked(columns: Sequence[Column], features: dict[str, Any]) -> dict[str, str]:
    return {
        ask_name(name, column.name): text
        for column in columns
        if column.name in features
        for name, text in answers_for(column, features[column.name]).items()
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


def _query(entries: dict[str, Any]) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, value in entries.items():
        if name in _MULTIPLE:
            query.setlist(name, value)
        else:
            query[name] = value
    return query
