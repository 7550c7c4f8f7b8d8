"""The choices of the plan form in words: purposes, conditions, categories of data, metrics, bands."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.domain.provisions import RESOURCE_TYPES
from consent.domain.purposes import (
    ANY_PURPOSE,
    CLINICAL_CARE,
    DISEASE_RESEARCH,
    GENERAL_RESEARCH,
    HEALTH_RESEARCH,
    condition_terms,
    duo_terms,
    purpose_label,
    require_purpose,
)
from consortium.kernel.bands import EDGES, band_label
from consortium.kernel.errors import InvalidInputError

Choices = list[tuple[str, str | Promise]]

_PURPOSES: Choices = [
    (HEALTH_RESEARCH, _("Research on health or disease (HMB)")),
    (DISEASE_RESEARCH, _("Research on one disease (DS), named below")),
    (GENERAL_RESEARCH, _("Research of any kind (GRU)")),
    ("HL7:CLINTRCH", _("Clinical trial research (CLINTRCH)")),
    ("HL7:BIORCH", _("Biomedical research (BIORCH)")),
    ("HL7:TRANSRCH", _("Translational research (TRANSRCH)")),
    ("HL7:PUBHLTH", _("Public health (PUBHLTH)")),
    (CLINICAL_CARE, _("Clinical care (CC)")),
    ("HL7:TREAT", _("Treatment (TREAT)")),
    ("HL7:HOPERAT", _("Running of health care (HOPERAT)")),
]
_TYPES: Choices = [
    ("Patient", _("Who the patient is: age, sex (Patient)")),
    ("Encounter", _("Stays and visits (Encounter)")),
    ("Condition", _("Diagnoses (Condition)")),
    ("Procedure", _("Operations and procedures (Procedure)")),
    ("Observation", _("Measurements and laboratory values (Observation)")),
    ("MedicationRequest", _("Prescriptions (MedicationRequest)")),
    ("DiagnosticReport", _("Reports (DiagnosticReport)")),
    ("ImagingStudy", _("Images (ImagingStudy)")),
]
METRICS: Choices = [
    ("auc", _("AUC: how well it ranks patients by risk")),
    ("accuracy", _("Accuracy: how often it is right at a risk of one half")),
    ("calibration", _("Calibration: whether predicted risks come true")),
]
RINGS: Choices = [("64", _("64 bits: exact sums")), ("32", _("32 bits: half the bytes, coarser sums"))]


def purpose_choices(entered: str = "") -> Choices:
    """Purposes that may be planned, the commonest first; another one too if it is what was entered."""
    return _with(_PURPOSES, entered)


def serving_choices(entered: str = "") -> Choices:
    """What a released model may answer for: also anything at all."""
    own = [choice for choice in _PURPOSES if choice[0] != DISEASE_RESEARCH]
    return _with([*own, (ANY_PURPOSE, _("Any purpose (NRES)"))], entered)


def _with(choices: Choices, entered: str) -> Choices:
    if entered in dict(choices):
        return list(choices)
    try:
        return [*choices, (require_purpose(entered), f"{purpose_label(entered)} ({entered})")]
    except InvalidInputError:
        return list(choices)


def condition_choices() -> Choices:
    """DUO's modifiers that a plan may state, by their words."""
    terms = [duo_terms()[code] for code in condition_terms()]
    return [(term.code, f"{term.label} ({term.shorthand})") for term in sorted(terms, key=lambda term: term.label)]


def category_choices() -> Choices:
    """FHIR's resource types that consents speak of."""
    return [(f"{RESOURCE_TYPES}|{code}", label) for code, label in _TYPES]


def band_choices() -> Choices:
    return [(str(edge), band_label(edge)) for edge in EDGES]


def plain(value: float) -> str:
    """Return a number as somebody would type it."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
