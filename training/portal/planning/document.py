"""From a valid form to the plan's document, the same bytes each time."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from consent.domain.purposes import DISEASE_RESEARCH
from training.domain.plan_document import FORMAT, PlanDocument, read_plan
from training.domain.run_terms import INITIAL_WEIGHTS_RULE
from training.errors import BoundBrokenError, PlanInvalidError, UnknownFeatureError, UnknownPurposeError
from training.federated.source_digests import code_digest, runner_digest
from training.portal.planning.form import PlanForm
from training.portal.planning.numbers import NUMBERS

# Where a refusal of the library is shown: its class first, then a word of its message.
_PLACES_BY_CLASS: tuple[tuple[type[PlanInvalidError], str], ...] = (
    (BoundBrokenError, "threshold"),
    (UnknownPurposeError, "purpose"),
    (UnknownFeatureError, "features"),
)
_PLACES_BY_WORD = (
    ("verifier_quorum", "verifier_quorum"),
    ("minimum_sites", "minimum_sites"),
    ("max_sites", "max_sites"),
    ("minimum_band", "minimum_band"),
    ("addends", "clip_bound"),
    ("clip_bound", "clip_bound"),
    ("rounds is", "rounds"),
    ("Categories", "features"),
    ("title", "title"),
)


def document_of_form(form: PlanForm, consortium_id: UUID) -> PlanDocument | None:
    """Return the document of a valid form; None, with the refusal beside its field, if the library refuses it."""
    if not form.is_valid():
        return None
    try:
        return read_plan(_document(form, consortium_id))
    except PlanInvalidError as error:
        form.add_error(_place_of(error), error.message)
        return None


def _document(form: PlanForm, consortium_id: UUID) -> dict[str, Any]:
    entries = form.cleaned_data
    sites = [str(offer.site.id) for offer in form.chosen]
    ring_bits = int(entries["ring_bits"])
    used = [column for column in form.columns if column.name in entries["features"]]
    document: dict[str, Any] = {
        "format": FORMAT,
        "title": entries["title"],
        "consortium": str(consortium_id),
        "purpose": _purpose(entries),
        "conditions": entries["conditions"],
        "categories": [*entries["categories"], *entries["more_categories"]],
        "recipients": entries["recipients"],
        "sites": sites,
        "data_schema": {"columns": _schema(form)},
        "training": {
            "algorithm": entries["algorithm"],
            "features": [form.feature_of(column) for column in used],
            "target": _target(form),
            "ring_bits": ring_bits,
        },
        "secure_aggregation": {"ring_bits": ring_bits},
        "minimum_band": int(entries["minimum_band"]),
        "code_digest": code_digest(),
        "runner_digest": runner_digest(),
        "initial_weights": INITIAL_WEIGHTS_RULE,
        "metrics": entries["metrics"],
        "serving_purpose": entries["serving_purpose"],
        "differential_privacy": None,
    }
    for number in NUMBERS:
        if number.is_of(entries["algorithm"]):
            number.write(document, form.value_of(number))
    return document


def _schema(form: PlanForm) -> list[dict[str, str]]:
    """What the plan reads, and no other column unless it was named; in the order of a plan that is copied, if any."""
    entries, kinds = form.cleaned_data, {column.name: column.kind for column in form.columns}
    read = [*(name for name in kinds if name in entries["features"]), entries["target"]]
    names = dict.fromkeys([*read, *entries["named_only"]])
    places = {name: place for place, name in enumerate(entries["order"])}
    ordered = sorted(names, key=lambda name: places.get(name, len(places)))
    return [{"name": name, "kind": kinds[name]} for name in ordered]


def _target(form: PlanForm) -> dict[str, Any]:
    column, entries = form.target_column, form.cleaned_data
    name = entries["target"]
    if column and column.kind == "binary":
        return {"name": name, "kind": "binary"}
    if column and column.kind == "categorical":
        return {"name": name, "kind": "categorical", "equals": column.by_text[entries["equals"]]}
    return {"name": name, "greater_than": float(entries["greater_than"])}


def _purpose(entries: Mapping[str, Any]) -> str:
    purpose = str(entries["purpose"])
    return f"{purpose}[{entries['disease']}]" if purpose == DISEASE_RESEARCH else purpose


def _place_of(error: PlanInvalidError) -> str | None:
    for kind, place in _PLACES_BY_CLASS:
        if isinstance(error, kind):
            return place
    return next((place for word, place in _PLACES_BY_WORD if word in error.message), None)
