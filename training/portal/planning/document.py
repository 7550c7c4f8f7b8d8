"""From a valid form to the plan's document, the same bytes each time."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from consent.domain.purposes import DISEASE_RESEARCH
from training.domain.plan_document import FORMAT, PlanDocument, read_plan
from training.domain.run_terms import INITIAL_WEIGHTS_RULE
from training.errors import BoundBrokenError, PlanInvalidError, UnknownFeatureError, UnknownPurposeError
from training.federated.source_digests import code_digest, runner_digest
from training.portal.planning.form import PlanForm
from training.portal.planning.kinds import KINDS, Column
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
    used = [column for column in form.columns if column.name in {*entries["features"], entries["target"]}]
    document: dict[str, Any] = {
        "format": FORMAT,
        "title": entries["title"],
        "consortium": str(consortium_id),
        "purpose": _purpose(entries),
        "conditions": entries["conditions"],
        "categories": [*entries["categories"], *entries["more_categories"]],
        "recipients": entries["recipients"],
        "sites": sites,
        # What the plan reads and nothing else: a site needs no other column for it.
        "data_schema": {"columns": [{"name": column.name, "kind": column.kind} for column in used]},
        "training": {
            "algorithm": entries["algorithm"],
            "features": [_feature(form, column) for column in used if column.name in entries["features"]],
            "target": {"name": entries["target"], "greater_than": float(entries["greater_than"])},
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
        if not number.algorithms or entries["algorithm"] in number.algorithms:
            number.write(document, form.value_of(number))
    return document


def _feature(form: PlanForm, column: Column) -> dict[str, Any]:
    make: Callable[[Column, Mapping[str, float]], dict[str, Any]] = KINDS[column.kind].feature
    return make(column, form.asked_of(column))


def _purpose(entries: Mapping[str, Any]) -> str:
    purpose = str(entries["purpose"])
    return f"{purpose}[{entries['disease']}]" if purpose == DISEASE_RESEARCH else purpose


def _place_of(error: PlanInvalidError) -> str | None:
    for kind, place in _PLACES_BY_CLASS:
        if isinstance(error, kind):
            return place
    return next((place for word, place in _PLACES_BY_WORD if word in error.message), None)
