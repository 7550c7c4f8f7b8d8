"""The printed report: it opens, is the same twice, and reads its data as data."""

import re
import shutil
import subprocess

import pytest

from audit.compliance.pdf import render_pdf
from audit.compliance.registry import make_report
from tests.unit.compliance.cases import ANCHOR, CONSENTS, act, evidence, export

REPORT = make_report("audit_controls", evidence(act(1), export(2), anchors=[ANCHOR], consents=CONSENTS))


def pages(document: bytes) -> int:
    return max(int(count) for count in re.findall(rb"/Count (\d+)", document))


def test_a_pdf_has_its_head_its_end_and_a_table_of_its_objects():
    document = render_pdf(REPORT)

    assert document.startswith(b"%PDF-1.7")
    assert document.rstrip().endswith(b"%%EOF")
    start = int(re.findall(rb"startxref\s+(\d+)", document)[-1])
    assert document[start : start + 4] == b"xref" or b"/XRef" in document[start : start + 400]
    assert pages(document) >= 2


def test_equal_reports_make_equal_bytes_and_another_report_others():
    first = render_pdf(REPORT)

    assert render_pdf(REPORT) == first
    assert render_pdf({**REPORT, "title": "Another"}) != first


def test_a_long_table_runs_over_more_pages():
    many = make_report("hipaa_164_312_b", evidence(*(export(1) for _ in range(150))))
    assert pages(render_pdf(many)) > pages(render_pdf(REPORT))


@pytest.mark.parametrize("text", ['#panic("x")', "$a$ *b* _c_ `d`", '"; #import "/etc/passwd"', "] [", "ä € 漢", "\\"])
def test_data_is_never_read_as_markup(text):
    report = {**REPORT, "title": text, "consortium": {**REPORT["consortium"], "name": text}}
    assert render_pdf(report).startswith(b"%PDF")


@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="pdfinfo is not installed on this machine")
def test_another_program_counts_the_same_pages(tmp_path):
    (tmp_path / "report.pdf").write_bytes(render_pdf(REPORT))
    told = subprocess.run(["pdfinfo", tmp_path / "report.pdf"], capture_output=True, text=True, check=True).stdout
    assert int(re.findall(r"Pages:\s+(\d+)", told)[0]) == pages(render_pdf(REPORT))
