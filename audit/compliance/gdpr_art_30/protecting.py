"""Letters (f) and (g): for how long data are kept, and what protects them."""

from audit.compliance.documents import Field, Part, Table, absent, built, found, person_states, tabled
from audit.compliance.evidence import Evidence
from audit.compliance.gdpr_art_30.common import CONSENTS, NAME, NO_PLAN, PLANS, REGISTRY, REGULATION, own_plans


def retention(evidence: Evidence) -> Part:
    """Return Art. 30(1)(f): for how long."""
    policy = evidence.protection.policy if evidence.protection else ""
    return Part(
        name=f"{NAME}_f",
        title="(f) Time limits for erasure",
        regulation=f"{REGULATION}(f)",
        introduction="What the system keeps and can forget. Records of people lie at the site, under its own rules.",
        fields=(
            found(
                "policy",
                "Policy in force, by its digest",
                policy or None,
                REGISTRY,
                otherwise="No policy is in force.",
            ),
            absent(
                "record_limits",
                "Time limits for the records of people",
                "No limit is on record: a data set's registration names none, and the records lie at the site.",
            ),
            built(
                "log_retention",
                "Log",
                "Records are never changed or deleted; they name people by commitments, whose contents can be erased",
                "the log",
            ),
            built(
                "consent_erasure",
                "Consents",
                "Erased when the site asks: pseudonym, contents and salts go, a commitment without contents stays",
                "the consent store",
            ),
            found(
                "consents_erased",
                "Consents erased so far",
                evidence.consents.grants.get("erased") if evidence.consents else None,
                CONSENTS,
                otherwise="No consents recorded.",
            ),
            person_states("model_limits", "Time limits for models"),
        ),
    )


def measures(evidence: Evidence) -> Part:
    """Return Art. 30(1)(g): what protects the data, as it is really in force."""
    return Part(
        name=f"{NAME}_g",
        title="(g) Technical and organisational measures",
        regulation=f"{REGULATION}(g), with Art. 32(1)",
        introduction="Measures that this system enforces, with the numbers in force. The end says what may be claimed.",
        fields=(*_walls(evidence), *_people_measures()),
        tables=(_aggregation(evidence),),
    )


def _walls(evidence: Evidence) -> list[Field]:
    tables = evidence.protection.guarded_tables if evidence.protection else None
    return [
        found(
            "row_security",
            "Tables whose rows the database shows to their tenant alone",
            tables or None,
            "the database's own catalogue",
            otherwise="Not read.",
        ),
        found(
            "witnesses",
            "Members that must co-sign the log before the chain takes it",
            evidence.log.quorum,
            "registry of the consortium",
            otherwise="The registry's number was not read yet.",
        ),
        found(
            "pseudonyms",
            "Pseudonyms",
            "Consents are known by keyed pseudonyms; keys and records stay at the site" if evidence.consents else None,
            "construction of the consent store",
            otherwise="No consents recorded.",
        ),
        found(
            "differential_privacy",
            "Differential privacy",
            "None: single updates stay closed, comparison of sums is not protected against"
            if own_plans(evidence)
            else None,
            PLANS,
            otherwise=NO_PLAN,
        ),
    ]


def _people_measures() -> list[Field]:
    return [
        absent(
            "transport",
            "Encryption in transit and at rest",
            "Not on record: set where the platform and each site are run.",
        ),
        person_states("training_of_people", "Instruction of people with access (Art. 32(4))"),
        person_states("tests", "Regular testing of the measures (Art. 32(1)(d))"),
    ]


def _aggregation(evidence: Evidence) -> Table:
    rows = [
        (
            run.title,
            len(one.sites),
            plan.threshold,
            plan.colluders,
            plan.minimum_cohort,
            plan.verifiers,
            len(run.rounds),
        )
        for run in evidence.training.runs
        if (plan := run.plan) and run.rounds and evidence.exporter in plan.sites
        for one in run.rounds[-1:]
    ]
    columns = ("Run", "Sites n", "Threshold t", "Colluders c", "Smallest cohort", "Verifiers", "Rounds")
    return tabled(
        "secure_aggregation",
        "Secure aggregation in the period, with the sites of the last round",
        columns,
        rows,
        f"rounds on the members' chain; {PLANS}",
        otherwise="No round of the period used this organization's data.",
    )
