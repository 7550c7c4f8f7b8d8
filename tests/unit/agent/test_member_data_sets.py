"""Data sets on the member page: chosen from a list, checked before they are signed."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.folder import write_private
from agent.site import Site
from tests.unit.agent.browsers import Browser

COLUMNS = [{"name": "sex", "kind": "binary"}, {"name": "age", "kind": "numeric", "unit": "a"}]
GOOD = {"name": "stays", "schema": {"columns": COLUMNS}, "purposes": ["DUO:0000006"], "conditions": []}


@pytest.fixture
def data(timed_site: Site) -> Path:
    folder = timed_site.folder.root / "data"
    folder.mkdir(mode=0o700)
    rows = "\n".join(f"patient-{number},0,{number}" for number in range(61))
    write_private(folder / "stays.csv", f"record,sex,age\n{rows}\n".encode())
    describe(folder)
    return folder


def describe(folder: Path, file: str = "stays.json", **changes: Any) -> None:
    write_private(folder / file, json.dumps({**GOOD, "rows": "stays.csv", **changes}).encode())


@pytest.fixture
def steward(browser: Browser) -> Browser:
    browser.log_in("stan")
    return browser


def test_empty_folder_shows_what_a_description_looks_like(steward: Browser) -> None:
    text = steward.get("/data-sets").text

    assert "No data set yet." in text
    assert "record,sex,age" in text


def test_found_set_is_counted_exactly_here_and_as_a_band_for_others(steward: Browser, data: Path) -> None:
    text = steward.get("/data-sets").text

    assert ">61<" in text
    assert "others see 50 to 99" in text
    assert "Health or medical or biomedical research (HMB)" in text
    assert "Not registered" in text


def test_steward_registers_a_set_of_the_list(steward: Browser, timed_site: Site, data: Path) -> None:
    assert "Register the data set" in steward.get("/data-sets/stays.json").text

    answer = steward.send("/data-sets", file="stays.json")

    assert answer.headers["location"] == "/data-sets?done=registered"
    (message,) = timed_site.consents.mail.waiting()
    assert (message.body["name"], message.body["band"]) == ("stays", 50)
    registered, ordered = timed_site.journal.entries(kinds=("data_set",))
    assert (ordered.outcome, ordered.person, registered.outcome) == ("ordered", "stan", "registered")
    assert "Signed, waits for the platform" in steward.get("/data-sets").text
    timed_site.consents.mail.settle(message, "sent")
    assert "Registered" in steward.get("/data-sets").text


@pytest.mark.parametrize(
    "file", ["../site.toml", "/etc/passwd", "..%2Fsite.toml", "stays.csv", "missing.json", "", "link.json"]
)
def test_file_that_the_list_does_not_name_is_refused(steward: Browser, timed_site: Site, data: Path, file: str) -> None:
    (data / "link.json").symlink_to(data / "stays.json")

    answer = steward.send("/data-sets", file=file)

    assert answer.status_code == 404
    assert timed_site.consents.mail.waiting() == []
    assert timed_site.journal.entries(kinds=("data_set",)) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rows": "../journal.sqlite"}, "outside the site&#39;s data folder"),
        ({"rows": "gone.csv"}, "Look at its name and rights"),
        ({"purposes": ["HMBX"]}, "Unknown purpose"),
        ({"conditions": ["DUO:9"]}, "Unknown condition"),
        ({"schema": {"columns": [{"name": "weight", "kind": "numeric"}]}}, "(weight)"),
        ({"name": "x", "extra": 1}, "extra: a data-set file has"),
    ],
)
def test_wrong_description_says_what_is_wrong_and_cannot_be_registered(
    steward: Browser, timed_site: Site, data: Path, changes: dict[str, Any], says: str
) -> None:
    describe(data, **changes)

    page = steward.get("/data-sets/stays.json").text
    answer = steward.send("/data-sets", file="stays.json")

    assert says in page
    assert "Register the data set" not in page
    assert str(timed_site.folder.root) not in page
    assert answer.status_code == 400
    assert timed_site.consents.mail.waiting() == []


def test_markup_in_a_description_is_shown_as_text(steward: Browser, data: Path) -> None:
    describe(data, name="<script>alert(1)</script>")

    for path in ("/data-sets", "/data-sets/stays.json"):
        assert "<script>alert" not in steward.get(path).text


def test_voter_registers_nothing(browser: Browser, timed_site: Site, data: Path) -> None:
    browser.log_in("vera")

    assert browser.send("/data-sets", file="stays.json").status_code == 403

    assert timed_site.consents.mail.waiting() == []


def test_consortium_of_others_is_refused(steward: Browser, timed_site: Site, data: Path) -> None:
    answer = steward.send("/data-sets", file="stays.json", consortium="00000000-0000-4000-8000-000000000000")

    assert answer.status_code == 400
    assert timed_site.consents.mail.waiting() == []


def test_table_is_counted_anew_when_it_has_changed(steward: Browser, data: Path) -> None:
    assert ">61<" in steward.get("/data-sets").text

    with (data / "stays.csv").open("a") as file:
        file.write("patient-61,1,9\n")

    assert ">62<" in steward.get("/data-sets").text
