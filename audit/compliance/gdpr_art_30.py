"""Records of processing activities: Regulation (EU) 2016/679, Art. 30(1)(a) to (g), of the exporting organization.

Each letter of the article is a part. What is processed for which purpose follows from plans and data sets; names of
representatives, reasons for a transfer and what else only a person knows stays empty and says so.
"""

from collections.abc import Iterable

from audit.compliance.documents import Field, Part, Table, absent, built, found, person_states, tabled
from audit.compliance.evidence import Evidence
from audit.compliance.training_facts import DataSetFacts, PlanFacts

NAME = "gdpr_art_30"
REGULATION = "Regulation (EU) 2016/679 (GDPR), Art. 30(1)"
_PLANS = "plans on the platform, by the digests that the members voted on"
_DATA_SETS = "data sets as their sites signed them"
_REGISTRY = "registry of members"
_CONSENTS = "consents on the platform, in bands"
_NO_PLAN = "No plan of this consortium names this organization as a site or a recipient."
_NO_DATA_SET = "This organization has registered no data set."
_UNKNOWN_COUNTRY = "not on record"


def controller(evidence: Evidence) -> Part:
    """Return Art. 30(1)(a): who decides."""
    own = evidence.member(evidence.exporter)
    others = [member.name for member in evidence.members if member.organization != evidence.exporter]
    return Part(
        name=f"{NAME}_a",
        title="(a) Controller",
        regulation=f"{REGULATION}(a)",
        introduction="Who decides on purposes and means: each member for its own data, all by vote on plans.",
        fields=(
            found("controller", "Name", own.name if own else None, _REGISTRY, otherwise="Not among the members."),
            found(
                "country",
                "Country",
                (own.country if own else "") or None,
                _REGISTRY,
                otherwise="No country is on record.",
            ),
            absent(
                "contact", "Contact details", "Not on record: the registry knows members by name, country and keys."
            ),
            found(
                "other_members",
                "Others who decide together on plans",
                ", ".join(others) or None,
                _REGISTRY,
                otherwise="There is no other member.",
            ),
            person_states("arrangement", "Arrangement between joint controllers (Art. 26)"),
            person_states("representative", "Representative (Art. 27)"),
            person_states("data_protection_officer", "Data protection officer (Art. 37)"),
        ),
    )


def purposes(evidence: Evidence) -> Part:
    """Return Art. 30(1)(b): what for."""
    rows = [
        (plan.title, plan.purpose, ", ".join(plan.conditions) or "none", plan.serving_purpose, plan.state, plan.digest)
        for plan in _own_plans(evidence)
    ]
    columns = ("Plan", "Trained for", "Conditions", "Model serves for", "Vote", "Plan's digest")
    return Part(
        name=f"{NAME}_b",
        title="(b) Purposes",
        regulation=f"{REGULATION}(b)",
        introduction="Purposes are terms of the Data Use Ontology (DUO) or of HL7; the vote on a plan is on its one.",
        fields=(person_states("legal_basis", "Legal basis of each purpose (Art. 6 and 9)"),),
        tables=(
            tabled(
                "purposes", "Purposes of plans on this organization's data", columns, rows, _PLANS, otherwise=_NO_PLAN
            ),
            _permitted(evidence),
        ),
    )


def categories(evidence: Evidence) -> Part:
    """Return Art. 30(1)(c): of whom, and which data."""
    consents = evidence.consents
    people = consents.grants.get("active") if consents else None
    return Part(
        name=f"{NAME}_c",
        title="(c) Categories of data subjects and of data",
        regulation=f"{REGULATION}(c)",
        introduction="Columns are named as the site registered them. Values, rows and exact numbers stay at the site.",
        fields=(
            found(
                "subjects",
                "Data subjects",
                "People whose consents this organization recorded, known here by pseudonyms" if consents else None,
                _CONSENTS,
                otherwise="No consents recorded.",
            ),
            found("subjects_number", "Consents in force", people, _CONSENTS, otherwise="No consents recorded."),
            person_states("special_categories", "Special categories of data (Art. 9(1)) among the columns"),
        ),
        tables=(_columns(evidence), _plan_data(evidence)),
    )


def recipients(evidence: Evidence) -> Part:
    """Return Art. 30(1)(d): who receives what."""
    rows = [
        (evidence.name_of(one), _country(evidence, one), plan.title, "the model; no record and no single update")
        for plan in _own_plans(evidence)
        for one in plan.recipients
        if one != evidence.exporter
    ]
    return Part(
        name=f"{NAME}_d",
        title="(d) Recipients",
        regulation=f"{REGULATION}(d)",
        introduction="Those that a plan names for its model. The platform holds pseudonymous consents and sums.",
        fields=(person_states("processors", "Processors, who runs the platform among them (Art. 28)"),),
        tables=(
            tabled(
                "recipients",
                "Recipients by plan",
                ("Recipient", "Country", "Plan", "Receives"),
                rows,
                f"{_PLANS}; {_REGISTRY}",
                otherwise="No plan names a recipient beside this organization.",
            ),
        ),
    )


def transfers(evidence: Evidence) -> Part:
    """Return Art. 30(1)(e): to which countries."""
    own = _country(evidence, evidence.exporter)
    named = {one for plan in _own_plans(evidence) for one in plan.recipients if one != evidence.exporter}
    rows = sorted(
        (evidence.name_of(one), _country(evidence, one), _crossing(own, _country(evidence, one))) for one in named
    )
    return Part(
        name=f"{NAME}_e",
        title="(e) Transfers to other countries",
        regulation=f"{REGULATION}(e)",
        introduction="Countries of members as on record. A person says what is a third country, and the safeguard.",
        fields=(
            person_states("safeguards", "Documentation of suitable safeguards (Art. 46 and 49(1))"),
            absent(
                "platform_country",
                "Country in which the platform runs",
                "Not on record: the deployment does not know where its machines stand.",
            ),
        ),
        tables=(
            tabled(
                "transfers",
                "Countries of recipients",
                ("Recipient", "Country", "From this organization"),
                rows,
                _REGISTRY,
                otherwise="No plan names a recipient beside this organization.",
            ),
        ),
    )


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
                _REGISTRY,
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
                _CONSENTS,
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
            if _own_plans(evidence)
            else None,
            _PLANS,
            otherwise=_NO_PLAN,
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


def _own_plans(evidence: Evidence) -> list[PlanFacts]:
    return [plan for plan in evidence.training.plans if evidence.exporter in (*plan.sites, *plan.recipients)]


def _own_data_sets(evidence: Evidence) -> Iterable[DataSetFacts]:
    return (one for one in evidence.training.data_sets if one.organization == evidence.exporter)


def _permitted(evidence: Evidence) -> Table:
    rows = [
        (one.name, ", ".join(one.purposes), ", ".join(one.conditions) or "none", one.signed)
        for one in _own_data_sets(evidence)
    ]
    columns = ("Data set", "May be used for", "Conditions", "Signed")
    return tabled(
        "permitted",
        "What this organization's data sets may be used for",
        columns,
        rows,
        _DATA_SETS,
        otherwise=_NO_DATA_SET,
    )


def _columns(evidence: Evidence) -> Table:
    rows = [
        (one.name, one.size, column.name, column.kind, column.unit or "-")
        for one in _own_data_sets(evidence)
        for column in one.columns
    ]
    columns = ("Data set", "Rows", "Column", "Kind", "Unit")
    return tabled(
        "columns", "Data that this organization has registered", columns, rows, _DATA_SETS, otherwise=_NO_DATA_SET
    )


def _plan_data(evidence: Evidence) -> Table:
    rows = [
        (plan.title, ", ".join(name for name, _ in plan.columns), ", ".join(plan.categories))
        for plan in _own_plans(evidence)
    ]
    columns = ("Plan", "Columns used", "Categories that consents must permit")
    return tabled("plan_data", "Data that plans use", columns, rows, _PLANS, otherwise=_NO_PLAN)


def _country(evidence: Evidence, organization: str) -> str:
    member = evidence.member(organization)
    return (member.country if member else "") or _UNKNOWN_COUNTRY


def _crossing(own: str, other: str) -> str:
    if _UNKNOWN_COUNTRY in (own, other):
        return "not known: a country is not on record"
    return "same country" if own == other else "another country"


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
        f"rounds on the members' chain; {_PLANS}",
        otherwise="No round of the period used this organization's data.",
    )


PARTS = (controller, purposes, categories, recipients, transfers, retention, measures)
