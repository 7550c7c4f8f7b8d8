"""The reports that can be asked for: each a list of regulations' parts, one module a regulation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from audit.compliance import ai_act_annex_iv, gdpr_art_7, gdpr_art_30, hipaa_164_312_b, hipaa_164_528
from audit.compliance.documents import FORMAT, Part, numbers_of
from audit.compliance.evidence import AUDITOR, Evidence
from consortium.kernel.errors import InvalidInputError

Build = Callable[[Evidence], Part]
# What the whole system may claim (the protocol's first section): a report says it in the same words.
CLAIMS = (
    "Proven to a third party: the order of events, votes, and what each site committed to before a round.",
    "Enforced by each site's own agent, not proven: that these rows and no others were read, clipped and masked.",
    "Attested by the organization alone: that a consent is of a real person who really agreed.",
)


class UnknownReportError(InvalidInputError):
    """No report has this name."""

    code = "unknown_report"


@dataclass(frozen=True, slots=True)
class Report:
    """A report by its name: what it is called, and the parts that it is made of.

    It speaks of the last `years_back` years, or of everything since the founding, unless other days are asked for.
    `is_of_member` marks what the rule makes an organization's own account: nobody else can give it.
    Plans, runs and data sets are read for reports that speak of them alone: a large consortium has many.
    """

    name: str
    title: str
    parts: tuple[Build, ...]
    years_back: int | None = None
    needs_training: bool = False
    needs_model: bool = False
    is_of_member: bool = False


# 45 CFR 164.316(b)(2)(i): documentation is kept six years.
_HIPAA_YEARS = 6

REPORTS: Mapping[str, Report] = MappingProxyType(
    {
        report.name: report
        for report in (
            Report(
                "audit_controls",
                "Extract of audit controls, with proof of consents",
                (hipaa_164_312_b.part, gdpr_art_7.part),
                years_back=_HIPAA_YEARS,
            ),
            Report("hipaa_164_312_b", "Extract of audit controls", (hipaa_164_312_b.part,), years_back=_HIPAA_YEARS),
            Report(
                "hipaa_164_528",
                "Accounting of disclosures",
                hipaa_164_528.PARTS,
                years_back=_HIPAA_YEARS,
                needs_training=True,
                is_of_member=True,
            ),
            Report("gdpr_art_7", "Proof of consents in numbers", (gdpr_art_7.part,)),
            Report(
                "gdpr_art_30",
                "Records of processing activities",
                gdpr_art_30.PARTS,
                needs_training=True,
                is_of_member=True,
            ),
            Report(
                "ai_act_annex_iv",
                "Technical documentation of a model",
                ai_act_annex_iv.PARTS,
                needs_training=True,
                needs_model=True,
            ),
        )
    }
)
DEFAULT = "audit_controls"


def report_named(name: str) -> Report:
    """Return a report; `UnknownReportError` names those that there are."""
    if name not in REPORTS:
        raise UnknownReportError(f"There is no report {name!r}. Ask for one of: {', '.join(sorted(REPORTS))}.")
    return REPORTS[name]


def make_report(name: str, evidence: Evidence) -> dict[str, Any]:
    """Return a report as plain JSON values, of the evidence's period; the same evidence makes the same report."""
    report, within = report_named(name), evidence.within_period()
    parts = [build(within) for build in report.parts]
    return {
        "format": FORMAT,
        "name": report.name,
        "title": report.title,
        "period": evidence.period.as_json(),
        "as_of": evidence.as_of,
        "consortium": {"id": evidence.consortium, "name": evidence.consortium_name},
        "exported_by": _exporter(evidence),
        "model": _model(evidence),
        "log": {"origin": evidence.log.origin, "size": evidence.log.size, "root": evidence.log.root},
        "numbers": numbers_of(parts),
        "parts": [part.as_json() for part in parts],
        "claims": list(CLAIMS),
    }


def _exporter(evidence: Evidence) -> dict[str, str | None]:
    """Name the exporting organization; an auditor is a person, whom no report names."""
    if evidence.is_by_auditor:
        return {"id": None, "name": AUDITOR}
    return {"id": evidence.exporter, "name": evidence.name_of(evidence.exporter)}


def _model(evidence: Evidence) -> dict[str, str] | None:
    model = evidence.model
    return None if model is None else {"id": model.id, "digest": model.digest, "title": model.run.title}
