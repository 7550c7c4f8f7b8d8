"""Every file of a bundle but manifest and signature (`verifier/FORMAT.md` section 2)."""

from collections.abc import Mapping
from typing import Any

from audit.bundles.chain_files import chain_files
from audit.bundles.proofs import consistency_file, inclusion_file, note_path
from audit.bundles.selection import Selection
from audit.compliance.html import render_html
from audit.compliance.pdf import render_pdf
from consortium.kernel.canonical import canonical_json
from contracts.reading.evidence import EvidenceGateway


def files_of(selection: Selection, *, report: Mapping[str, Any], chain: EvidenceGateway) -> dict[str, bytes]:
    """Return the files by their paths: the report in three forms, records, proofs, checkpoints, what the chain took."""
    return {
        "report.json": canonical_json(dict(report)),
        "report.html": render_html(report),
        "report.pdf": render_pdf(report),
        "records.jsonl": b"".join(line + b"\n" for line in selection.lines),
        "proofs/inclusion.json": inclusion_file(selection),
        "proofs/consistency.json": consistency_file(selection),
        **chain_files(selection, chain),
        **{note_path(checkpoint.size): checkpoint.note.encode() for checkpoint in selection.checkpoints},
    }
