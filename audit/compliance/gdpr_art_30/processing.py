"""Letters (a) to (c): who decides, what for, and on which data of whom."""

from audit.compliance.documents import Part, Table, absent, found, person_states, tabled
from audit.compliance.evidence import Evidence
from audit.compliance.gdpr_art_30.common import (
    CONSENTS,
    DATA_SETS,
    NAME,
    NO_DATA_SET,
    NO_PLAN,
    PLANS,
    REGISTRY,
    REGULATION,
    own_data_sets,
    own_plans,
)


def controller(evidence: Evidence) -> Part:
    """Return Art. 30(1)(a): who decides."""
    own = evidence.member(evidence.exporter)
    deciding = [member for member in evidence.members if member.status == "active"]
    others = [member.name for member in deciding if member.organization != evidence.exporter]
    return Part(
        name=f"{NAME}_a",
        title="(a) Controller",
        regulation=f"{REGULATION}(a)",
        introduction="Who decides on purposes and means: each member for its own data, all by vote on plans.",
        fields=(
            found("controller", "Name", own.name if own else None, REGISTRY, otherwise="Not among the members."),
            found(
                "country",
                "Country",
                (own.country if own else "") or None,
                REGISTRY,
                otherwise="No country is on record.",
            ),
            absent(
                "contact", "Contact details", "Not on record: the registry knows members by name, country and keys."
            ),
            found(
                "other_members",
                "Others who decide together on plans",
                ", ".join(others) or None,
                REGISTRY,
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
        for plan in own_plans(evidence)
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
                "purposes", "Purposes of plans on this organization's data", columns, rows, PLANS, otherwise=NO_PLAN
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
                CONSENTS,
                otherwise="No consents recorded.",
            ),
            found("subjects_number", "Consents in force", people, CONSENTS, otherwise="No consents recorded."),
            person_states("special_categories", "Special categories of data (Art. 9(1)) among the columns"),
        ),
        tables=(_columns(evidence), _plan_data(evidence)),
    )


def _permitted(evidence: Evidence) -> Table:
    rows = [
        (one.name, ", ".join(one.purposes), ", ".join(one.conditions) or "none", one.signed)
        for one in own_data_sets(evidence)
    ]
    columns = ("Data set", "May be used for", "Conditions", "Signed")
    return tabled(
        "permitted",
        "What this organization's data sets may be used for",
        columns,
        rows,
        DATA_SETS,
        otherwise=NO_DATA_SET,
    )


def _columns(evidence: Evidence) -> Table:
    rows = [
        (one.name, one.size, column.name, column.kind, column.unit or "-")
        for one in own_data_sets(evidence)
        for column in one.columns
    ]
    columns = ("Data set", "Rows", "Column", "Kind", "Unit")
    return tabled(
        "columns", "Data that this organization has registered", columns, rows, DATA_SETS, otherwise=NO_DATA_SET
    )


def _plan_data(evidence: Evidence) -> Table:
    rows = [
        (plan.title, ", ".join(name for name, _ in plan.columns), ", ".join(plan.categories))
        for plan in own_plans(evidence)
    ]
    columns = ("Plan", "Columns used", "Categories that consents must permit")
    return tabled("plan_data", "Data that plans use", columns, rows, PLANS, otherwise=NO_PLAN)
