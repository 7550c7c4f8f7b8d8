"""The reports that can be asked for: each a list of regulations' parts, one module a regulation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from audit.compliance import gdpr_art_7, hipaa_164_312_b
from audit.compliance.documents import FORMAT, Part
from audit.compliance.evidence import Evidence
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
    """A report by its name: what it is called, and the parts that it is made of."""

    name: str
    title: str
    parts: tuple[Build, ...]


REPORTS: Mapping[str, Report] = MappingProxyType(
    {
        report.name: report
        for report in (
            Report(
                "audit_controls",
                "Extract of audit controls, with proof of consents",
                (hipaa_164_312_b.part, gdpr_art_7.part),
            ),
            Report("hipaa_164_312_b", "Extract of audit controls", (hipaa_164_312_b.part,)),
            Report("gdpr_art_7", "Proof of consents in numbers", (gdpr_art_7.part,)),
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
    """Return a report as plain JSON values; the same evidence makes the same report."""
    report = report_named(name)
    return {
        "format": FORMAT,
        "name": report.name,
        "title": report.title,
        "as_of": evidence.as_of,
        "consortium": {"id": evidence.consortium, "name": evidence.consortium_name},
        "exported_by": {"id": evidence.exporter, "name": evidence.name_of(evidence.exporter)},
        "log": {"origin": evidence.log.origin, "size": evidence.log.size, "root": evidence.log.root},
        "parts": [build(evidence).as_json() for build in report.parts],
        "claims": list(CLAIMS),
    }
