"""The printed report: it opens, is the same twice, and reads its data as data."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from audit.compliance.glyphs import printable
from audit.compliance.pdf import render_pdf
from audit.compliance.registry import REPORTS, make_report
from tests.unit.compliance.cases import (
    ANCHOR,
    BATCHES,
    CONSENTS,
    PREDICTIONS,
    act,
    closed,
    evidence,
    export,
    opened,
)

FULL = evidence(
    act(1), opened(1), closed(1), anchors=[ANCHOR], consents=CONSENTS, predictions=PREDICTIONS, batches=BATCHES
)
REPORT = make_report("audit_controls", evidence(act(1), export(2), anchors=[ANCHOR], consents=CONSENTS))


def pages(document: bytes) -> int:
    return int(re.findall(rb"/Type/Pages/Count (\d+)", document)[0])


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


def test_every_character_that_is_printed_as_it_is_has_a_glyph_in_every_face():
    shown = "".join(character for character in map(chr, range(0x20, 0x2200)) if printable(character) == character)

    assert len(shown) > 1000
    assert render_pdf({**REPORT, "title": shown, "consortium": {**REPORT["consortium"], "name": shown, "id": shown}})


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("市立病院", "[U+5E02][U+7ACB][U+75C5][U+9662]"),
        ("a\u202eb\u0000\n", "a[U+202E]b[U+0000][U+000A]"),
        ("e\u0301 \U0001f600", "é [U+1F600]"),
    ],
)
def test_a_name_that_no_face_shows_is_written_in_code_points_and_the_document_is_made(text, written):
    assert printable(text) == written
    report = {**REPORT, "title": text, "consortium": {**REPORT["consortium"], "name": text}}
    assert render_pdf(report).startswith(b"%PDF")


ANOTHER_READER = pytest.mark.skipif(
    shutil.which("pdfinfo") is None or shutil.which("pdftotext") is None,
    reason="poppler's pdfinfo and pdftotext are not installed on this machine",
)


def told(tool: str, *arguments: str, document: bytes, folder: Path) -> str:
    """What another program says of a document."""
    (folder / "report.pdf").write_bytes(document)
    command = [tool, *arguments, str(folder / "report.pdf"), *(["-"] if tool == "pdftotext" else [])]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_it_says_that_it_is_accessible_and_has_title_language_and_tags():
    document = render_pdf(REPORT)

    assert b"<pdfuaid:part>1</pdfuaid:part>" in document
    assert b"/Lang (en)" in document or b"<dc:language>" in document
    assert b"/MarkInfo" in document
    assert b"/StructTreeRoot" in document
    assert b"/DisplayDocTitle true" in document


@ANOTHER_READER
@pytest.mark.parametrize("name", sorted(REPORTS))
def test_another_program_finds_every_report_tagged_with_its_title_and_pages(name, tmp_path):
    document = render_pdf(make_report(name, FULL))

    found = told("pdfinfo", document=document, folder=tmp_path)

    assert re.search(r"Tagged:\s+yes", found)
    assert f"Title:           {REPORTS[name].title}" in found
    assert int(re.findall(r"Pages:\s+(\d+)", found)[0]) == pages(document)


@ANOTHER_READER
def test_headings_and_header_cells_are_tagged_as_such(tmp_path):
    found = told("pdfinfo", "-struct", document=render_pdf(make_report("gdpr_art_30", FULL)), folder=tmp_path)

    for tag in ("H1", "H2", "Table", "THead", "TH", "TD"):
        assert re.search(rf"^\s+{tag}\b", found, re.MULTILINE), tag
    assert re.search(r"/Scope /Column", found)


@ANOTHER_READER
@pytest.mark.parametrize("name", sorted(REPORTS))
def test_what_is_asked_and_why_it_is_empty_can_be_read_from_it(name, tmp_path):
    report = make_report(name, FULL)

    text = " ".join(told("pdftotext", document=render_pdf(report), folder=tmp_path).split())

    for part in report["parts"]:
        assert part["title"] in text
    assert "Needs a person" in text
    assert report["period"]["from"] in text
