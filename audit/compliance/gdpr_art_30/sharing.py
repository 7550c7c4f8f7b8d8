"""Letters (d) and (e): who receives what, and in which country."""

from audit.compliance.documents import Part, absent, person_states, tabled
from audit.compliance.evidence import Evidence
from audit.compliance.gdpr_art_30.common import (
    NAME,
    PLANS,
    REGISTRY,
    REGULATION,
    UNKNOWN_COUNTRY,
    country_of,
    own_plans,
)


def recipients(evidence: Evidence) -> Part:
    """Return Art. 30(1)(d): who receives what."""
    rows = [
        (evidence.name_of(one), country_of(evidence, one), plan.title, "the model; no record and no single update")
        for plan in own_plans(evidence)
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
                f"{PLANS}; {REGISTRY}",
                otherwise="No plan names a recipient beside this organization.",
            ),
        ),
    )


def transfers(evidence: Evidence) -> Part:
    """Return Art. 30(1)(e): to which countries."""
    own = country_of(evidence, evidence.exporter)
    named = {one for plan in own_plans(evidence) for one in plan.recipients if one != evidence.exporter}
    rows = sorted(
        (evidence.name_of(one), country_of(evidence, one), _crossing(own, country_of(evidence, one))) for one in named
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
                REGISTRY,
                otherwise="No plan names a recipient beside this organization.",
            ),
        ),
    )


def _crossing(own: str, other: str) -> str:
    if UNKNOWN_COUNTRY in (own, other):
        return "not known: a country is not on record"
    return "same country" if own == other else "another country"
