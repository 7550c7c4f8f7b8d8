"""The accounting itself: this system makes no disclosure, and what it lacks is named."""

from audit.compliance.documents import Part, absent, found, person_states, tabled
from audit.compliance.evidence import Evidence
from audit.compliance.hipaa_164_528.common import NAME, REGULATION

_NONE_LEFT = (
    "None on record. A record of a person never leaves a site in this system: sites send masked sums of what they "
    "computed. Disclosures made outside it are in the organization's own accounting."
)
_PER_PERSON = (
    "Made at the site: the platform knows no person. The organization looks the person up in its own records of each "
    "run, where the exact cohorts lie."
)


def disclosures(evidence: Evidence) -> Part:
    """Return the accounting itself: rows of disclosures, of which this system makes none, and what it lacks."""
    return Part(
        name=f"{NAME}_disclosures",
        title="Disclosures",
        regulation=REGULATION,
        introduction=(
            "A row for each disclosure of protected health information by the exporting organization through this "
            "system. Nothing is put here by default; what a person judges to be a disclosure belongs here."
        ),
        fields=(
            found(
                "organization",
                "Accounting organization",
                evidence.name_of(evidence.exporter),
                "registry of members",
                otherwise="",
            ),
            person_states("other_disclosures", "Disclosures made outside this system (164.528(a))"),
            person_states("suspensions", "Suspensions asked for by an agency or official (164.528(a)(2))"),
            absent(
                "requests", "Requests of individuals and their answers (164.528(c))", "Not recorded by this system."
            ),
            absent("per_person", "Accounting for one individual (164.528(b))", _PER_PERSON),
        ),
        tables=(
            tabled(
                "disclosures",
                "Disclosures in the period",
                ("Date", "Recipient", "Address", "What was disclosed", "Purpose"),
                (),
                "",
                otherwise=_NONE_LEFT,
            ),
        ),
    )
