"""What else the exporter gave to the platform, with the exemptions that the record shows."""

from collections.abc import Sequence

from audit.compliance.documents import Part, Table, absent, person_states, tabled
from audit.compliance.evidence import Evidence, PredictionFacts
from audit.compliance.hipaa_164_528.common import NAME

UNDECIDED = "Whether this is a disclosure needs a person"
NO_EXEMPTION = "No exemption follows from the record"
_OWN_LOG = "the organization's own log on the platform, which is not in this bundle"
# 164.528(a)(1)(i), with treatment, payment and health care operations as in 164.501.
_EXEMPT = {
    "HL7:TREAT": "Exempt: treatment (164.528(a)(1)(i))",
    "HL7:HPAYMT": "Exempt: payment (164.528(a)(1)(i))",
    "HL7:HOPERAT": "Exempt: health care operations (164.528(a)(1)(i))",
}


def platform(evidence: Evidence) -> Part:
    """Return what else the exporter gave to the platform, with the exemptions that the record shows."""
    return Part(
        name=f"{NAME}_platform",
        title="Given to the platform",
        regulation="45 CFR 164.528(a)(1): exemptions",
        introduction=(
            "Stripped consents under pseudonyms, and rows that the organization's own people had scored. Whether who "
            "runs the platform is a business associate (164.502(e)) is for a person."
        ),
        fields=(
            person_states("associate", "Business associate agreement with who runs the platform"),
            absent(
                "authorizations",
                "Disclosures under an authorization (164.508)",
                "Not recorded by this system; the consents that permit a use lie at the site.",
            ),
            absent(
                "limited_data_sets",
                "Limited data sets (164.514(e))",
                "None on record: this system hands out no data set.",
            ),
            absent("to_individuals", "Disclosures to the individuals themselves", "Not recorded by this system."),
        ),
        tables=(_batches(evidence), _predictions(evidence.predictions)),
    )


def _batches(evidence: Evidence) -> Table:
    rows = [
        (batch.time, "Who runs the platform", batch.consents, "Stripped consents under pseudonyms", UNDECIDED)
        for batch in evidence.batches
    ]
    columns = ("Date", "Recipient", "Consents", "What was given", "Listed as")
    return tabled(
        "batches",
        "Consents given to the platform",
        columns,
        rows,
        "signed batches on the platform",
        otherwise="No batch of consents was taken in this period.",
    )


def _predictions(predictions: Sequence[PredictionFacts]) -> Table:
    rows = [
        (
            one.first,
            one.last,
            one.requests,
            one.rows,
            one.purpose or "Not known",
            _EXEMPT.get(one.purpose_code, NO_EXEMPTION),
        )
        for one in predictions
    ]
    columns = ("First", "Last", "Requests", "Rows", "Purpose", "Listed as")
    return tabled(
        "predictions",
        "Rows that own people had scored at the platform",
        columns,
        rows,
        _OWN_LOG,
        otherwise="No prediction was asked for in this period.",
    )
