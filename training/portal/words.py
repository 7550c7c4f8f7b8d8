"""A plan's document and a model's card in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from consent.domain.purposes import duo_terms, purpose_label
from consortium.kernel.bands import band_label
from consortium.kernel.errors import ConsiliumError, InvalidInputError
from training.federated.algorithms.features import Feature, MeasuredFeature
from training.federated.algorithms.missing import CATEGORY, MEAN, VALUE
from training.federated.algorithms.perceptron import Perceptron
from training.federated.algorithms.targets import CategoryTarget, ThresholdTarget
from training.federated.plan import TrainingPlan
from training.federated.plan_document import PlanDocument
from training.models import Model, Plan
from training.portal.reads import card_of, names_of
from training.services.plans import document_of


@dataclass(frozen=True, slots=True)
class Term:
    """A code and what it means."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a plan reads: its kind, and the plan's rules for it in words."""

    name: str
    kind: str
    rules: str


@dataclass(frozen=True, slots=True)
class EpochStep:
    """One step of a model's lineage: the consent epochs that a round read, and the weights that it made."""

    number: str
    sites: tuple[tuple[str, str], ...]
    weights: str
    next_weights: str
    block: str


def backend_in_words(name: str) -> tuple[str, str]:
    """Return a back end's name, and what must be known of it where its runs are shown."""
    return {
        "memory": (_("the coordinator, in memory"), ""),
        "substra": (
            _("Substra, local mode"),
            _(
                "A site's tasks run in that site's own agent. Substra itself keeps nobody apart in this mode and "
                "enforces no permissions: the agents do, and Substra's process sees masked vectors only."
            ),
        ),
    }.get(name, (name, ""))


def plan_in_words(plan: Plan) -> dict[str, Any] | None:
    """The plan's document for its page; None where it cannot be read here."""
    try:
        return document_in_words(document_of(plan))
    except ConsiliumError:
        return None


def document_in_words(document: PlanDocument) -> dict[str, Any]:
    """Return what a plan's page and its preview say of the document."""
    names = names_of({*document.sites, *document.recipients})
    measured = [one.name for one in document.training_plan.features if isinstance(one, MeasuredFeature)]
    return {
        "document": document,
        "purpose": _purpose(document.purpose),
        "serving": _purpose(document.serving_purpose),
        "conditions": [Term(code, duo_terms()[code].label) for code in document.conditions],
        "categories": [category.rpartition("|")[2] for category in document.categories],
        "sites": [names.get(site, _("A former member")) for site in document.sites],
        "recipients": [names.get(site, _("A former member")) for site in document.recipients],
        "features": _features(document),
        "learns": learns_in_words(document.training_plan),
        "target": document.training_plan.target,
        "band": band_label(document.terms.minimum_band),
        "site_count": len(document.sites),
        "measuring": measuring_in_words(measured, len(document.sites)),
    }


def card_in_words(model: Model) -> dict[str, Any] | None:
    """The model's card for its page; None where this deployment does not hold it."""
    card = card_of(model)
    if card is None:
        return None
    rounds = [entry for entry in card.get("rounds", []) if isinstance(entry, dict)]
    names = names_of({UUID(site["organization"]) for entry in rounds for site in entry.get("sites", [])})
    return {
        "card": card,
        "algorithm": algorithm_in_words(str(card.get("algorithm", ""))),
        "purpose": _purpose(str(card.get("purpose", ""))),
        "serving": _purpose(str(card.get("serving_purpose", ""))),
        "limits": [str(limit) for limit in card.get("limits", [])],
        "lineage": [_step(entry, names) for entry in rounds],
    }


def _purpose(code: str) -> Term:
    try:
        return Term(code, purpose_label(code))
    except InvalidInputError:
        return Term(code, _("a purpose that this deployment does not know"))


def algorithm_in_words(name: str) -> str:
    return {"logistic_regression": _("Logistic regression"), "perceptron": _("Perceptron")}.get(name, name)


def learns_in_words(plan: TrainingPlan) -> str:
    """Say what of the target counts as the outcome, and by what it is learned."""
    target, name = plan.target, plan.target.name
    if isinstance(target, ThresholdTarget):
        what = _("Whether %(name)s is greater than %(bound)s") % {"name": name, "bound": f"{target.greater_than:g}"}
    elif isinstance(target, CategoryTarget):
        what = _("Whether %(name)s is %(category)s") % {"name": name, "category": target.equals}
    else:
        what = _("Whether %(name)s is 1") % {"name": name}
    if isinstance(plan.algorithm, Perceptron):
        by = _("by a perceptron with %(n)s hidden units") % {"n": plan.algorithm.hidden_units}
    else:
        by = _("by logistic regression")
    return f"{what}, {by}"


def measuring_in_words(columns: Sequence[str], sites: int) -> list[str]:
    """Say what the round that measures does, and what its sum reveals (ADR 9); nothing if no column is measured."""
    if not columns:
        return []
    said = [
        _("The first round of a run measures and trains nothing: one masked sum, like that of every round."),
        _(
            "Of each measured column (%(names)s) it reveals three numbers over all sites' rows together, to everybody "
            "who has the weights: the share of missing values, the mean and the variance. No site's own are opened."
        )
        % {"names": ", ".join(columns)},
        _("Who withdraws later stays in what that run has measured, as in its earlier rounds."),
    ]
    if sites == 2:
        said.append(_("With two sites, each can work out the other's numbers from the sum and its own."))
    return said


def _features(document: PlanDocument) -> list[Column]:
    return [Column(one.name, one.kind, rules_in_words(one)) for one in document.training_plan.features]


def rules_in_words(feature: Feature) -> str:
    """Say what the plan does to a column besides reading it; empty if nothing."""
    words = []
    if isinstance(feature, MeasuredFeature):
        bounds = {"low": f"{feature.minimum:g}", "high": f"{feature.maximum:g}"}
        kept = _("moved into %(low)s to %(high)s") if feature.clips else _("refused outside %(low)s to %(high)s")
        words += [_("standardized over all sites"), kept % bounds]
    rule = feature.missing
    words += {
        MEAN: [_("missing: the mean over all sites")],
        CATEGORY: [_("missing: a category of its own")],
        VALUE: [_("missing: counts as %(value)s") % {"value": rule.value}],
    }.get(rule.rule, [])
    if rule.has_indicator:
        words.append(_("and a column that says so"))
    return ", ".join(words)


def _step(entry: dict[str, Any], names: dict[UUID, str]) -> EpochStep:
    sites = [
        (names.get(UUID(site["organization"]), _("A former member")), str(site.get("epoch") or "-"))
        for site in entry.get("sites", [])
    ]
    block = entry.get("block")
    return EpochStep(
        number=str(entry.get("round", "")),
        sites=tuple(sites),
        weights=str(entry.get("weights", "")),
        next_weights=str(entry.get("next_weights", "")),
        block=f"{block:,}" if isinstance(block, int) else "-",
    )
