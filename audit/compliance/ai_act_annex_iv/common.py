"""What the points of the annex share: names of sources, reasons, and the model that the dossier is about."""

from audit.compliance.documents import Field as Field
from audit.compliance.documents import Value, found
from audit.compliance.evidence import Evidence
from audit.compliance.training_facts import ModelFacts, PlanFacts

NAME = "ai_act_annex_iv"
REGULATION = "Regulation (EU) 2024/1689 (AI Act), Annex IV, point"
PLAN = "the plan's document, by the digest that the members voted on"
CHAIN = "the members' chain"
CARD = "the model's card, filled from the record of its run"
ROUNDS = "rounds on the members' chain"
RECORDS = "records.jsonl"
NO_PLAN = "The plan's document is not held by this deployment; its digest stands in the run."


class ModelMissingError(RuntimeError):
    """A dossier was asked for without its model: the order is held to one before."""


def model_of(evidence: Evidence) -> ModelFacts:
    """Return the model that the dossier is about."""
    if evidence.model is None:
        raise ModelMissingError("A dossier is about one model.")
    return evidence.model


def plan_of(evidence: Evidence) -> PlanFacts | None:
    """Return the plan that the model was trained by, where its document is held."""
    return model_of(evidence).run.plan


def by_plan(name: str, title: str, value: Value | None) -> Field:
    """State what the plan's document says; without the document the field is empty."""
    return found(name, title, value, PLAN, otherwise=NO_PLAN)
