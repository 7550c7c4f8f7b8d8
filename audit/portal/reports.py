"""What reports are called on pages, in the reader's language; in the reports themselves it stays English."""

from django.utils.translation import gettext_lazy as _

from audit.compliance.registry import REPORTS

_LABELS = {
    "audit_controls": _("Audit controls (HIPAA) with proof of consents (GDPR)"),
    "hipaa_164_312_b": _("Audit controls (HIPAA, 45 CFR 164.312(b))"),
    "gdpr_art_7": _("Proof of consents in numbers (GDPR, Art. 7)"),
}


def report_label(name: str) -> str:
    """Return a report's name in words; one that is no longer made keeps its short name."""
    return str(_LABELS.get(name, name))


def report_choices() -> list[tuple[str, str]]:
    """Return every report that can be asked for."""
    return [(name, report_label(name)) for name in REPORTS]
