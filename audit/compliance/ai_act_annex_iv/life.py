"""Points 7 to 9: standards, declaration of conformity, and what watches it in use."""

from audit.compliance.ai_act_annex_iv.common import CHAIN, NAME, REGULATION, model_of
from audit.compliance.documents import Part, absent, built, found, person_states
from audit.compliance.evidence import OF_EACH_MEMBER, Evidence


def standards(evidence: Evidence) -> Part:
    """Return point 7."""
    return Part(
        name=f"{NAME}_7",
        title="7. Standards",
        regulation=f"{REGULATION} 7",
        introduction="Published formats that this evidence keeps to; harmonised standards are for a person to name.",
        fields=(
            person_states("harmonised", "Harmonised standards applied, in full or in part"),
            found(
                "log_standards",
                "Form of the event log",
                "RFC 9162 tree of records in RFC 8785 form; C2SP checkpoints and signed notes",
                "verifier/FORMAT.md",
                otherwise="",
            ),
            built(
                "term_standards",
                "Terms of purposes and consents",
                "GA4GH Data Use Ontology; HL7 FHIR R4 Consent",
                "the consent store",
            ),
            built(
                "weights_standard",
                "Form of the weights",
                "safetensors, in one canonical form, by SHA-256",
                "the training library",
            ),
        ),
    )


def declaration(evidence: Evidence) -> Part:
    """Return point 8."""
    return Part(
        name=f"{NAME}_8",
        title="8. Declaration of conformity",
        regulation=f"{REGULATION} 8, with Art. 47",
        introduction="No record can declare conformity.",
        fields=(person_states("declaration", "EU declaration of conformity"),),
    )


def monitoring(evidence: Evidence) -> Part:
    """Return point 9."""
    model = model_of(evidence)
    served = next((one for one in evidence.predictions if one.model == model.digest), None)
    own = "the organization's own log on the platform, which is not in this bundle"
    none = "This organization's people asked for no prediction in the period."
    nothing = OF_EACH_MEMBER if evidence.is_by_auditor else none
    return Part(
        name=f"{NAME}_9",
        title="9. After its release",
        regulation=f"{REGULATION} 9, with Art. 72",
        introduction="What is known of its use. Other members' use stands in their own logs.",
        fields=(
            found("state_now", "State of the model", model.state, CHAIN, otherwise=""),
            found(
                "predictions",
                "Requests for predictions by this organization",
                served.requests if served else None,
                own,
                otherwise=nothing,
            ),
            found("predicted_rows", "Rows scored, as a band", served.rows if served else None, own, otherwise=nothing),
            absent(
                "drift",
                "Drift and performance in use",
                "Not on record: no monitoring of the model in use is connected.",
            ),
            absent(
                "incidents",
                "Serious incidents (Art. 73)",
                "Not on record: this system keeps no register of incidents; a recall is a vote and stands above.",
            ),
            person_states("plan", "Plan for monitoring after the release (Art. 72(3))"),
        ),
    )
