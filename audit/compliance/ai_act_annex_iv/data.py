"""Point 2(d): the data: what consents had to permit, data sets, sites and their cohorts."""

from audit.compliance.ai_act_annex_iv.common import RECORDS, ROUNDS, by_plan, model_of, plan_of
from audit.compliance.documents import Field, Table, person_states, tabled
from audit.compliance.evidence import Evidence
from audit.compliance.training_facts import DataSetFacts, RunFacts

_ASKED = "purpose, categories and recipients"
_REFUSED = "training.site.refuse"


def data_fields(evidence: Evidence) -> list[Field]:
    """Return what the plan asks of data, and what only people know of them (2(d), Art. 10)."""
    plan = plan_of(evidence)
    return [
        by_plan("purpose", "Purpose that consents had to permit (2(d))", plan.purpose if plan else None),
        by_plan(
            "conditions",
            "Conditions that the plan meets (2(d))",
            (", ".join(plan.conditions) or "none") if plan else None,
        ),
        by_plan(
            "selection",
            "Selection of records (2(d))",
            f"Subjects whose consent permits {_ASKED} at the round's block, at least {plan.minimum_cohort} at a site"
            if plan
            else None,
        ),
        person_states("collection", "How the data came to be collected (2(d), Art. 10(2)(b))"),
        person_states("labelling", "Labelling and cleaning of the data (2(d))"),
        person_states("bias", "Examination for biases, and gaps in the data (Art. 10(2)(f) to (h))"),
        person_states("oversight_assessment", "Assessment of the oversight by people that is needed (2(e), Art. 14)"),
    ]


def data_sets(evidence: Evidence) -> Table:
    """Return the registered data sets of the sites that hold the plan's columns."""
    plan = plan_of(evidence)
    names = {name for name, _ in plan.columns} if plan else set()
    sites = plan.sites if plan else ()
    rows = [
        (
            evidence.name_of(one.organization),
            one.name,
            one.size,
            _covered(one, names),
            ", ".join(one.purposes),
            one.signed,
            one.schema_digest,
        )
        for one in evidence.training.data_sets
        if one.organization in sites and names & {column.name for column in one.columns}
    ]
    columns = ("Site", "Data set", "Rows", "The plan's columns in it", "May be used for", "Signed", "Schema")
    return tabled(
        "data_sets",
        "Data sets of the sites that hold the plan's columns (2(d))",
        columns,
        rows,
        "data sets as their sites signed them",
        otherwise="No site of the plan has registered a data set with its columns.",
    )


def _covered(one: DataSetFacts, names: set[str]) -> str:
    return ", ".join(f"{column.name} ({column.kind})" for column in one.columns if column.name in names)


def sites(evidence: Evidence) -> Table:
    """Return what each site took part in: consents it stood on, cohorts in bands."""
    run = model_of(evidence).run
    sites = sorted({site.organization for one in run.rounds for site in one.sites}, key=evidence.name_of)
    rows = [(evidence.name_of(site), *_taken_part(run, site), _refusals(evidence, run, site)) for site in sites]
    columns = ("Site", "Rounds", "Consent epochs", "Cohorts", "Refusals and losses")
    return tabled(
        "sites",
        "Sites: consents they stood on, and cohorts in bands (2(d))",
        columns,
        rows,
        f"{ROUNDS}; {RECORDS}",
        otherwise="No round of this run was closed in the period.",
    )


def _taken_part(run: RunFacts, organization: str) -> tuple[int, str, str]:
    parts = [site for one in run.rounds for site in one.sites if site.organization == organization]
    epochs = [site.epoch for site in parts if site.epoch is not None]
    cohorts = dict.fromkeys(site.cohort for site in parts if site.cohort is not None)
    span = (f"{min(epochs)} to {max(epochs)}" if min(epochs) != max(epochs) else str(epochs[0])) if epochs else "-"
    return len(parts), span, ", ".join(cohorts) or "-"


def _refusals(evidence: Evidence, run: RunFacts, organization: str) -> int:
    return sum(
        record["action"] in (_REFUSED, "training.site.lose")
        and record["subject"].get("id") == run.id
        and record["data"]["organization"] == organization
        for record in evidence.records
    )
