"""Point 2: how it was made: steps and code, design, compute, tests, security."""

from audit.compliance.ai_act_annex_iv.common import NAME, NO_PLAN, PLAN, REGULATION, ROUNDS, by_plan, model_of, plan_of
from audit.compliance.ai_act_annex_iv.data import data_fields, data_sets, sites
from audit.compliance.documents import Field, Part, Table, absent, built, found, person_states, tabled
from audit.compliance.evidence import Evidence

_MOST_ROUNDS = 200


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
        fields=(
            *_design(evidence),
            *_compute(evidence),
            *data_fields(evidence),
            *_testing(evidence),
            *_security(evidence),
        ),
        tables=(_settings(evidence), data_sets(evidence), sites(evidence), _rounds(evidence)),
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
