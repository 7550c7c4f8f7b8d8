"""Importing consents on the member page: files taken in whole or not at all, by stewards alone."""

import contextlib
import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import agent.member_page.import_pages as import_pages
from agent.consents.errors import ConsentStoreError
from agent.consents.importing import Importer
from agent.consents.imports import ImportDesk
from agent.site import Site
from tests.unit.agent.browsers import Browser
from tests.unit.agent.worlds import CONSORTIUM, PHRASE
from tests.unit.agent_consents.worlds import generated

PATH = "/consents/imports"


def lines(*resources: Any) -> bytes:
    return b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in resources)


def left(site: Site) -> list[str]:
    """Return what lies in the folder of imports besides reports."""
    return [path.name for path in (site.folder.root / "imports").glob("*") if path.suffix != ".json"]


def finish(browser: Browser, site: Site, content: bytes, **form: Any) -> str:
    answer = browser.upload(PATH, content, **form)
    assert answer.status_code == 303, answer.text
    site.consents.imports.wait()
    return str(answer.headers["location"])


@pytest.fixture
def steward(browser: Browser) -> Browser:
    browser.log_in("stan")
    return browser


def test_good_lines_are_taken_and_bad_ones_named_with_what_to_do(steward: Browser, timed_site: Site) -> None:
    first, second = generated(2).resources
    content = lines(first, b"{not json", {**second, "id": first["id"]}, second, {"resourceType": "Patient"})

    page = steward.get(finish(steward, timed_site, content)).text

    assert timed_site.consents.store.numbers()["subjects"] == 2
    assert "3 refused" in page
    assert "2 consents taken in one step" in page
    assert "is not one JSON value in UTF-8" in page
    assert "Write one resource a line" in page
    assert "Leave one of the two lines out" in page
    assert left(timed_site) == []


def test_refused_lines_are_taken_away_as_csv_that_no_spreadsheet_runs(
    steward: Browser, timed_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_pages, "advice", lambda _one: "=cmd|' /C calc'!A0")
    place = finish(steward, timed_site, lines(b"[]"))

    answer = steward.get(f"{place}/refused.csv")

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.splitlines() == [
        "line,element,what is wrong,what to do",
        "1,Consent,is not a JSON object,'=cmd|' /C calc'!A0",
    ]


def test_import_is_in_the_log_with_numbers_and_who_did_it(steward: Browser, timed_site: Site) -> None:
    place = finish(steward, timed_site, lines(*generated(3).resources))

    ended, begun = timed_site.journal.entries(kinds=("import",))
    assert (begun.outcome, begun.person, ended.outcome, ended.person) == ("begun", "stan", "done", "stan")
    assert dict(ended.detail) == {"import": place.rsplit("/", 1)[1], "lines": 3, "accepted": 3, "refused": 0}
    assert "Its lines in your log" in steward.get(place).text


def test_same_file_again_changes_nothing(steward: Browser, timed_site: Site) -> None:
    content = lines(*generated(3).resources)
    finish(steward, timed_site, content)
    generation = timed_site.consents.store.generation

    page = steward.get(finish(steward, timed_site, content)).text

    assert timed_site.consents.store.generation == generation
    assert "No line was taken; nothing was changed." in page
    assert "A changed consent needs an id of its own" in page


def test_voter_sends_no_file(browser: Browser, timed_site: Site) -> None:
    browser.log_in("vera")

    answer = browser.upload(PATH, lines(*generated(1).resources))

    assert answer.status_code == 403
    assert timed_site.consents.store.numbers() == {"subjects": 0}
    assert left(timed_site) == []
    assert [entry.detail["reason"] for entry in timed_site.journal.entries(kinds=("page",))] == ["person_refused"]


def test_file_of_another_pages_form_is_refused_before_a_byte_is_kept(
    steward: Browser, timed_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(ImportDesk, "open_upload", lambda _desk, name: opened.append(name))

    assert steward.upload(PATH, b"{}", token="another").status_code == 403

    assert opened == []
    assert left(timed_site) == []


def test_file_before_the_fields_is_refused(steward: Browser, timed_site: Site) -> None:
    token = steward.token()
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n{}\r\n'
        b'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n' + token.encode() + b"\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}

    answer = steward._runner.run(steward.http.post(PATH, content=body, headers=headers))

    assert answer.status_code == 403
    assert left(timed_site) == []


@pytest.mark.parametrize("says_length", [True, False])
def test_oversized_file_is_refused_and_nothing_of_it_stays(
    steward: Browser, timed_site: Site, monkeypatch: pytest.MonkeyPatch, says_length: bool
) -> None:
    monkeypatch.setattr(import_pages, "MAX_UPLOAD_BYTES", 1000)
    token = steward.token()
    head = f'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
    head += '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = head.encode() + b"x" * 200_000 + b"\r\n--x--\r\n"

    async def pieces() -> Any:
        for start in range(0, len(body), 4096):
            yield body[start : start + 4096]

    content = body if says_length else pieces()
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = steward._runner.run(steward.http.post(PATH, content=content, headers=headers))

    assert answer.status_code == 413
    assert "nothing of it was kept" in answer.text
    assert left(timed_site) == []
    assert timed_site.consents.imports.running is None


@pytest.mark.parametrize(
    "body",
    [
        b"--x\r\nnonsense",
        b'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n' + b"t" * 10_000 + b"\r\n--x--\r\n",
        b"--x\r\n" + b"A" * 10_000 + b": b\r\n\r\n\r\n--x--\r\n",
        b"--x--\r\n",
    ],
)
def test_malformed_form_is_refused(steward: Browser, timed_site: Site, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}

    answer = steward._runner.run(steward.http.post(PATH, content=body, headers=headers))

    assert answer.status_code == 400
    assert left(timed_site) == []


def test_files_name_is_no_path_and_is_shown_as_text(steward: Browser, timed_site: Site) -> None:
    place = finish(steward, timed_site, lines(b"[]"), name="../../site.toml<script>alert(1)</script>")

    assert "<script>alert" not in steward.get(place).text
    record = timed_site.consents.imports.latest()[0]
    assert "/" not in record.file
    assert timed_site.folder.configuration.exists()
    assert steward.get("/consents/imports/not-a-number").status_code == 400
    assert steward.get("/consents/imports/00000000-0000-4000-8000-000000000000").status_code == 404


@dataclass
class Gate:
    """Holds every import back after its first look at the file: `reached` by the first, until `opened`."""

    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate, real = Gate(), Importer.import_file

    def wait(importer: Importer, path: Any, *, consortia: Any, progress: Any = None) -> Any:
        progress(100)
        gate.reached.set()
        assert gate.opened.wait(30)
        return real(importer, path, consortia=consortia, progress=progress)

    monkeypatch.setattr(Importer, "import_file", wait)
    yield gate
    gate.opened.set()


def test_second_import_waits_for_the_first_and_is_told_so(steward: Browser, timed_site: Site, gate: Gate) -> None:
    place = steward.upload(PATH, lines(*generated(2).resources)).headers["location"]
    assert gate.reached.wait(30)
    running = steward.get(place).text
    assert "100 lines read so far" in running
    assert 'data-reload="2000"' in running

    second = steward.upload(PATH, lines(*generated(4, seed=9).resources))

    assert second.status_code == 409
    assert "Another import is running" in second.text
    gate.opened.set()
    timed_site.consents.imports.wait()
    assert timed_site.consents.store.numbers()["subjects"] == 2
    assert left(timed_site) == []


@pytest.mark.parametrize("page_first", [True, False])
def test_import_of_the_command_line_at_the_same_time_is_safe(
    steward: Browser, timed_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page_first: bool
) -> None:
    """Both have read their files and found every id new; whoever writes second takes nothing and says so."""
    resources = list(generated(4).resources)
    file = tmp_path / "same.ndjson"
    file.write_bytes(lines(*resources[:2]))
    both_have_read, written, real = threading.Barrier(2), threading.Event(), Importer._read

    def read(importer: Importer, path: Path, *rest: Any) -> Any:
        found = real(importer, path, *rest)
        both_have_read.wait(30)
        if (path == file) is page_first:
            assert written.wait(30)
        return found

    monkeypatch.setattr(Importer, "_read", read)
    place = steward.upload(PATH, lines(*resources)).headers["location"]
    taken = []

    def import_file() -> None:
        with contextlib.suppress(ConsentStoreError):
            taken.append(timed_site.consents.importer.import_file(file, consortia=[CONSORTIUM]).accepted)

    command = threading.Thread(target=import_file)
    command.start()
    (timed_site.consents.imports.wait if page_first else command.join)()
    written.set()
    command.join()
    timed_site.consents.imports.wait()

    record = timed_site.consents.imports.find(uuid.UUID(place.rsplit("/", 1)[1]))
    assert record is not None
    assert (record.accepted, taken) == ((4, []) if page_first else (0, [2]))
    assert timed_site.consents.store.numbers()["subjects"] == (4 if page_first else 2)
    assert page_first or "Import the file again" in steward.get(place).text


def test_fault_of_the_program_takes_nothing_and_says_so(
    steward: Browser, timed_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Importer, "import_file", fail)

    page = steward.get(finish(steward, timed_site, lines(*generated(1).resources))).text

    assert "Nothing was taken" in page
    assert timed_site.consents.store.numbers() == {"subjects": 0}
    assert timed_site.consents.imports.running is None


def test_file_that_a_killed_agent_left_is_deleted_and_named_at_the_next_start(timed_site: Site) -> None:
    desk = timed_site.consents.imports
    upload = desk.open_upload("half.ndjson")
    upload.write(b"{}")
    upload.close()

    assert desk.sweep() == 1

    assert left(timed_site) == []
    (entry,) = timed_site.journal.entries(kinds=("import",))
    assert (entry.outcome, entry.detail["import"]) == ("interrupted", str(upload.id))


def test_uploads_and_reports_are_private_files(steward: Browser, timed_site: Site) -> None:
    finish(steward, timed_site, lines(b"[]"))

    timed_site.folder.require_private()
    assert PHRASE not in (timed_site.folder.root / "imports").glob("*.json").__next__().read_text()


def test_table_of_consents_is_read_as_one_by_its_name(steward: Browser, timed_site: Site) -> None:
    table = (
        b"record,decision,purpose,from,until,categories,text,id\n"
        b"patient-7,permit,DUO:0000006,2024-05-01,2029-04-30,Patient,broad-consent-3,c7\n"
        b"patient-8,perhaps,DUO:0000006,2024-05-01,2029-04-30,Patient,broad-consent-3,c8\n"
    )

    place = steward.upload(PATH, table, name="Spring.CSV").headers["location"]
    timed_site.consents.imports.wait()

    record = timed_site.consents.imports.find(uuid.UUID(place.rsplit("/", 1)[1]))
    assert record is not None
    assert (record.accepted, [refused.line for refused in record.refused]) == (1, [3])
    assert left(timed_site) == []
