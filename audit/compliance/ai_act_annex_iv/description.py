"""Point 1: what the system is, in which version, and who made it."""

from audit.compliance.ai_act_annex_iv.common import CHAIN, NAME, REGULATION, by_plan, model_of, plan_of
from audit.compliance.documents import Field, Part, absent, built, found, person_states
from audit.compliance.evidence import Evidence
from audit.compliance.training_facts import ModelFacts

BACK_ENDS = {
    "memory": "the coordinator, in memory",
    "substra": "Substra, local mode: a site's tasks run in its own agent",
}


def general(evidence: Evidence) -> Part:
    """Return point 1."""
    model = model_of(evidence)
    return Part(
        name=f"{NAME}_1",
        title="1. General description",
        regulation=f"{REGULATION} 1",
        introduction="The model as the members know it: by digest. A changed byte is another model.",
        fields=(*_identity(evidence, model), *_surroundings(evidence)),
    )


def _identity(evidence: Evidence, model: ModelFacts) -> list[Field]:
    plan = plan_of(evidence)
    sites = ", ".join(evidence.name_of(site) for site in plan.sites) if plan else None
    return [
        person_states("intended_purpose", "Intended purpose (1(a))"),
        by_plan(
            "serving_purpose", "Purpose that the model may serve, as voted", plan.serving_purpose if plan else None
        ),
        found("system", "System (1(a))", model.run.title, "the plan of the run", otherwise=""),
        found("version", "Version: digest of the weights (1(a))", model.digest, CHAIN, otherwise=""),
        found(
            "earlier_versions",
            "Earlier versions that served under the same plan (1(a))",
            ", ".join(model.earlier) or "none",
            CHAIN,
            otherwise="",
        ),
        found("state", "State", model.state, CHAIN, otherwise=""),
        found(
            "registrar", "Registered by, the author of the plan", evidence.name_of(model.author), CHAIN, otherwise=""
        ),
        by_plan("developers", "Developed with the data of", sites),
        person_states("provider", "Provider (1(a), Art. 3(3))"),
    ]


def _surroundings(evidence: Evidence) -> list[Field]:
    plan, backend = plan_of(evidence), model_of(evidence).run.backend
    return [
        by_plan("code", "Code of the training, by digest (1(c))", plan.code_digest if plan else None),
        by_plan("runner", "Runner of the sites, by digest (1(c))", plan.runner_digest if plan else None),
        found("backend", "Computed by", BACK_ENDS.get(backend, backend), "the run on the platform", otherwise=""),
        built(
            "form",
            "Form in which it is provided (1(d))",
            "Scores over an API of the platform, for people with a role in a member, while the model is released",
            "the platform",
        ),
        absent(
            "interaction",
            "Interaction with other hardware or software (1(b))",
            "Not on record: who calls the API is known to each organization's own log.",
        ),
        absent(
            "hardware",
            "Hardware it is meant to run on (1(e))",
            "Not on record: the model needs no particular hardware, and no record names one.",
        ),
        absent(
            "illustrations",
            "Illustrations of products that hold it (1(f))",
            "Not on record: the model is part of no product here.",
        ),
        person_states("interface", "User interface for who deploys it (1(g))"),
        person_states("instructions", "Instructions for use (1(h), Art. 13)"),
    ]
