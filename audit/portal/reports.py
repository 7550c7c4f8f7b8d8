"""What reports are called on pages, and what they answer, in the reader's language; in themselves they are English."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.compliance.registry import REPORTS, Report

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Framework:
    """A report to choose: the rule, what it answers, who asks for it, and what no record can answer."""

    name: str
    rule: Words
    label: Words
    question: Words
    audience: Words
    person: Words

    @property
    def report(self) -> Report:
        return REPORTS[self.name]

    @property
    def needs_model(self) -> bool:
        return self.report.needs_model

    @property
    def is_six_years(self) -> bool:
        return self.report.years_back is not None


FRAMEWORKS = (
    Framework(
        "hipaa_164_528",
        "HIPAA, 45 CFR 164.528",
        _("Accounting of disclosures"),
        _("To whom did our records go, when, and for what? Masked updates are listed as use, never as disclosure."),
        _("Privacy officer, patients who ask"),
        _("Whether a masked update is a disclosure; what was disclosed outside this system"),
    ),
    Framework(
        "hipaa_164_312_b",
        "HIPAA, 45 CFR 164.312(b)",
        _("Audit controls"),
        _("Who did what and when, what was refused, and does the log still add up to what the members signed?"),
        _("Security officer, auditor"),
        _("Risk analysis, procedures of review, business associates"),
    ),
    Framework(
        "gdpr_art_30",
        "GDPR, Art. 30(1)",
        _("Records of processing activities"),
        _("Which data of whom do we process, for what, who receives what, and what protects it?"),
        _("Data protection officer, supervisory authority"),
        _("Legal basis, representative, safeguards of transfers, time limits"),
    ),
    Framework(
        "gdpr_art_7",
        "GDPR, Art. 7(1) and 7(3)",
        _("Proof of consents in numbers"),
        _("Do we hold consents for what we do, and how fast does a withdrawal take effect? In bands, without a name."),
        _("Data protection officer, ethics board"),
        _("That consent was freely given"),
    ),
    Framework(
        "ai_act_annex_iv",
        "EU AI Act, Annex IV",
        _("Technical documentation of a model"),
        _("What is this model, from which data and consents, how good is it, and who approved it?"),
        _("Board, notified body, who deploys it"),
        _("Intended purpose, the argument about risks, declaration of conformity"),
    ),
    Framework(
        "audit_controls",
        "HIPAA 164.312(b) + GDPR Art. 7",
        _("Audit controls, with proof of consents"),
        _("Both extracts in one document, for whoever oversees the consortium as a whole."),
        _("Auditor of the consortium"),
        _("What the two need: risk analysis, procedures, free choice"),
    ),
)
_BY_NAME = {framework.name: framework for framework in FRAMEWORKS}


def framework_named(name: str) -> Framework | None:
    """Return a report to choose, or None for a name that is none."""
    return _BY_NAME.get(name)


def report_label(name: str) -> str:
    """Return a report's name in words; one that is no longer made keeps its short name."""
    return str(_BY_NAME[name].label) if name in _BY_NAME else name


def rule_label(name: str) -> str:
    """Return the rule that a report answers."""
    return str(_BY_NAME[name].rule) if name in _BY_NAME else ""
