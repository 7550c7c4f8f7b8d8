"""A plan's document in the words that reports use."""

from collections.abc import Iterable

from audit.compliance.training_facts import PlanFacts
from audit.content import written_time
from consent.domain.purposes import duo_terms, purpose_label
from consortium.kernel.errors import ConsiliumError
from training.federated.algorithms.targets import CategoryTarget, Target, ThresholdTarget
from training.federated.plan_document import PlanDocument
from training.models import Plan
from training.services.plans import document_of

_SETTINGS = (
    ("learning_rate", "Learning rate"),
    ("local_steps", "Gradient steps of a site a round"),
    ("penalty", "L2 penalty"),
    ("clip_bound", "Largest norm of a site's weighted update"),
    ("max_rows", "Largest number of rows of a site"),
    ("max_sites", "Largest number of sites"),
    ("ring_bits", "Bits of the masking ring"),
    ("histogram_bins", "Bins of the score histograms"),
    ("calibration_bins", "Bins of the calibration curve"),
)


def plan_facts(plan: Plan) -> PlanFacts | None:
    """Return what the plan's document says; None where this deployment does not hold a readable one."""
    try:
        document = document_of(plan)
    except ConsiliumError:
        return None
    terms = document.terms
    return PlanFacts(
        digest=plan.digest,
        title=document.title,
        author=str(plan.organization_id),
        state=plan.state,
        made=written_time(plan.created_at),
        purpose=purpose_in_words(document.purpose),
        serving_purpose=purpose_in_words(document.serving_purpose),
        serving_code=document.serving_purpose,
        conditions=tuple(f"{duo_terms()[code].label} ({code})" for code in document.conditions),
        categories=document.categories,
        recipients=tuple(str(one) for one in document.recipients),
        sites=tuple(str(one) for one in document.sites),
        columns=tuple(document.data_schema.columns.items()),
        features=tuple(feature.name for feature in document.training_plan.features),
        target=_target_in_words(document.training_plan.target),
        algorithm=str(document.training["algorithm"]).replace("_", " "),
        settings=tuple(_settings(document)),
        metrics=document.metrics,
        threshold=terms.threshold,
        colluders=terms.colluders,
        minimum_sites=terms.minimum_sites,
        minimum_cohort=terms.minimum_band,
        verifiers=terms.verifier_quorum,
        code_digest=document.code_digest,
        runner_digest=document.runner_digest,
    )


def purpose_in_words(code: str) -> str:
    """Return a purpose as words and code."""
    return f"{purpose_label(code)} ({code})"


def _target_in_words(target: Target) -> str:
    """Say what of a column counts as the outcome."""
    if isinstance(target, ThresholdTarget):
        return f"{target.name} above {target.greater_than:g}"
    return f"{target.name} is {target.equals if isinstance(target, CategoryTarget) else 1}"


def _settings(document: PlanDocument) -> Iterable[tuple[str, str]]:
    for key, title in _SETTINGS:
        yield title, f"{getattr(document.training_plan, key):g}"
    yield "Rounds", str(document.terms.rounds)
    yield "Runs of this plan at most", str(document.terms.max_runs)
