"""A report as accessible PDF (PDF/UA-1) by typst: data goes in as JSON, never as markup; equal reports, equal bytes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit.compliance.glyphs import printable
from consortium.kernel.canonical import canonical_json
from consortium.kernel.errors import ConsiliumError

TEMPLATE = Path(__file__).parent / "report.typ"


class ReportRenderingError(ConsiliumError):
    """The report's template does not take the report: a fault of ours."""

    code = "report_rendering"


def render_pdf(report: Mapping[str, Any]) -> bytes:
    """Return the document; its date is the report's `as_of`, its faces are those that typst brings."""
    # A compiled library of 40 MB: web processes never load it.
    import typst

    moment = datetime.fromisoformat(report["as_of"]).astimezone(UTC)
    try:
        return bytes(
            typst.compile(
                TEMPLATE.read_bytes(),
                format="pdf",
                sys_inputs={"report": canonical_json(printable(dict(report))).decode()},
                ignore_system_fonts=True,
                timestamp=int(moment.timestamp()),
                pdf_standards="ua-1",
            )
        )
    except typst.TypstError as error:
        raise ReportRenderingError(
            "The PDF of the report could not be made. Ask the operator to read the log."
        ) from error
