"""Point 2: how it was made: steps and code, design, data, compute, tests, security."""

from audit.compliance.ai_act_annex_iv.common import (
    NAME,
    NO_PLAN,
    PLAN,
    RECORDS,
    REGULATION,
    ROUNDS,
    by_plan,
    model_of,
    plan_of,
)
from audit.compliance.documents import Field, Part, Table, absent, built, found, person_states, tabled
from audit.compliance.evidence import Evidence
from audit.compliance.training_facts import DataSetFacts, RunFacts

_MOST_ROUNDS = 200
_ASKED = "purpose, categories and recipients"
_REFUSED = "training.site.refuse"


def development(evidence: Evidence) -> Part:
    """Return point 2."""
    return Part(
        name=f"{NAME}_2",
        title="2. Elements and process of development",
        regulation=f"{REGULATION} 2, with Art. 10 and 15",
        introduction=(
            "Trained in rounds at the sites; the platform sums masked updates and sees no record and no single update. "
            "Numbers of people and rows are bands."
        ),
        fields=(*_design(evidence), *_compute(evidence), *_data(evidence), *_testing(evidence), *_security(evidence)),
        tables=(_settings(evidence), _data_sets(evidence), _sites(evidence), _rounds(evidence)),
    )


def _design(evidence: Evidence) -> list[Field]:
    plan = plan_of(evidence)
    return [
        built(
            "method",
            "Method of development (2(a))",
            "Federated averaging: each site trains on its own rows, the platform sums masked updates",
            "the training library, by the code digest above",
        ),
        found(
            "pre_trained",
            "Pre-trained systems or tools of others (2(a))",
            "None: initial weights follow from a rule that the plan names",
            PLAN,
            otherwise="",
        ),
        by_plan("algorithm", "Algorithm (2(b))", plan.algorithm if plan else None),
        by_plan("features", "Features (2(b))", ", ".join(plan.features) if plan else None),
        by_plan("target", "What it is optimized to tell (2(b))", plan.target if plan else None),
        person_states("choices", "Reasons for the design, assumptions and trade-offs (2(b))"),
        person_states("pre_determined_changes", "Changes determined in advance (2(f))"),
    ]


def _compute(evidence: Evidence) -> list[Field]:
    run = model_of(evidence).run
    none = "No round of this run was closed in the period."
    seconds = [one.seconds for one in run.rounds if one.seconds is not None]
    sites = {site.organization for one in run.rounds for site in one.sites}
    return [
        found("rounds", "Rounds computed (2(c))", len(run.rounds) or None, ROUNDS, otherwise=none),
        found(
            "attempts",
            "Attempts, repeated ones among them (2(c))",
            sum(one.attempts for one in run.rounds) or None,
            ROUNDS,
            otherwise=none,
        ),
        found("computing_sites", "Sites that computed (2(c))", len(sites) or None, ROUNDS, otherwise=none),
        found(
            "seconds",
            "Seconds from the rounds' announcements to their closes (2(c))",
            sum(seconds) if seconds else None,
            "times on the platform",
            otherwise=none,
        ),
        absent(
            "energy",
            "Energy, processors and memory used (2(c))",
            "Not measured: sites report no use of their machines.",
        ),
    ]


def _data(evidence: Evidence) -> list[Field]:
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


def _testing(evidence: Evidence) -> list[Field]:
    plan = plan_of(evidence)
    verifiers = (
        f"Each round was recomputed from the masked vectors by at least {plan.verifiers} members" if plan else None
    )
    return [
        by_plan("planned_metrics", "Metrics that the plan asks for (2(g))", ", ".join(plan.metrics) if plan else None),
        found("recomputed", "Validation of each sum (2(g))", verifiers, f"{PLAN}; {ROUNDS}", otherwise=NO_PLAN),
        absent(
            "held_out",
            "Test on data kept back from training (2(g))",
            "Not on record: rounds are measured on the sites' training cohorts, before each update.",
        ),
        absent(
            "robustness",
            "Tests of robustness (2(g), Art. 15(4))",
            "None on record: no test of robustness was run on this model by this system.",
        ),
        absent(
            "attacks",
            "Attack tests, such as membership inference (2(g), Art. 15(5))",
            "None on record: no attack test was run on this model by this system.",
        ),
        person_states("test_reports", "Test reports, dated and signed (2(g))"),
    ]


def _security(evidence: Evidence) -> list[Field]:
    plan = plan_of(evidence)
    aggregation = (
        f"t = {plan.threshold}, c = {plan.colluders}: fewer than t sites' shares open nothing" if plan else None
    )
    protection = evidence.protection
    return [
        by_plan("secure_aggregation", "Secure aggregation (2(h))", aggregation),
        by_plan(
            "differential_privacy",
            "Differential privacy (2(h))",
            "None: comparison of sums is not protected against" if plan else None,
        ),
        found(
            "row_security",
            "Tables whose rows the database shows to their tenant alone (2(h))",
            protection.guarded_tables if protection else None,
            "the database's own catalogue",
            otherwise="Not read.",
        ),
        found(
            "witnesses",
            "Members that must co-sign the event log (2(h))",
            evidence.log.quorum,
            "registry of the consortium",
            otherwise="The registry's number was not read yet.",
        ),
    ]


def _settings(evidence: Evidence) -> Table:
    plan = plan_of(evidence)
    rows = plan.settings if plan else ()
    return tabled("settings", "Settings of the training (2(b))", ("Setting", "Value"), rows, PLAN, otherwise=NO_PLAN)


def _data_sets(evidence: Evidence) -> Table:
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


def _sites(evidence: Evidence) -> Table:
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


def _rounds(evidence: Evidence) -> Table:
    rows = [
        (
            one.number,
            one.closed,
            one.block or "-",
            len(one.sites),
            one.seconds if one.seconds is not None else "-",
            one.weights,
            one.next_weights,
        )
        for one in model_of(evidence).run.rounds
    ]
    columns = ("Round", "Closed", "Block", "Sites", "Seconds", "From weights", "To weights")
    return tabled(
        "rounds_table",
        "Rounds, from the initial weights to the model (2(c), 2(g))",
        columns,
        rows,
        ROUNDS,
        otherwise="No round of this run was closed in the period.",
        most=_MOST_ROUNDS,
    )
