"""The log on the member page: pages of fifty, filters, verification, downloads for stewards."""

import csv
import io
import json
import re
import sqlite3
from typing import Any

import pytest

from agent.journal_search import PAGE
from agent.site import Site
from tests.unit.agent.browsers import Browser

RUN = "7c8f6c52-0000-4000-8000-000000000001"


@pytest.fixture
def steward(browser: Browser, timed_site: Site) -> Browser:
    for number in range(130):
        run: dict[str, Any] = {"run": RUN, "round": number} if number % 13 == 0 else {}
        timed_site.journal.record("work", "done" if number % 2 else "refused", reason="local_rule", **run)
    browser.log_in("stan")
    return browser


def numbers(text: str) -> list[int]:
    return [int(one.replace(",", "")) for one in re.findall(r'role="rowheader">([\d,]+)</th>', text)]


def follow(browser: Browser, text: str, rel: str) -> str:
    link = re.search(rf'rel="{rel}" href="([^"]+)"', text)
    assert link is not None
    return browser.get(link[1].replace("&amp;", "&")).text


def test_pages_of_fifty_lead_to_older_and_back_without_a_gap(steward: Browser) -> None:
    first = steward.get("/log").text
    second = follow(steward, first, "next")

    newest = numbers(first)[0]
    assert newest > 130
    assert numbers(first) == list(range(newest, newest - PAGE, -1))
    assert numbers(second) == list(range(newest - PAGE, newest - 2 * PAGE, -1))
    assert numbers(follow(steward, second, "prev")) == numbers(first)
    assert 'rel="prev"' not in first
    assert 'rel="next"' not in follow(steward, second, "next")


def test_filter_holds_over_pages_and_names_what_there_is(steward: Browser) -> None:
    first = steward.get("/log?kind=work&outcome=refused").text

    assert 'option value="work" selected' in first
    assert len(numbers(first)) == PAGE
    assert len(numbers(follow(steward, first, "next"))) == 15


def test_lines_of_one_run_are_found_by_its_number(steward: Browser) -> None:
    assert len(numbers(steward.get(f"/log?about={RUN}").text)) == 10
    assert "No entry is like that." in steward.get("/log?about=7c8f6c52").text


@pytest.mark.parametrize("query", ["before=x", "before=99999999999999999999", "after=-1", "kind=%27%20OR%201=1--"])
def test_nonsense_in_the_address_harms_nothing(steward: Browser, query: str) -> None:
    assert steward.get(f"/log?{query}").status_code == 200


def test_about_is_shown_as_text(steward: Browser) -> None:
    assert "<script>alert" not in steward.get("/log?about=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").text


def test_recomputing_says_that_the_log_is_whole_and_when(steward: Browser, timed_site: Site) -> None:
    assert "Not recomputed since" in steward.get("/log").text

    steward.send("/log/verify")

    text = steward.get("/log").text
    assert re.search(r"Whole.*13\d entries.*23 Nov 2026, 12:00:00 UTC", text)
    assert timed_site.journal.entries(kinds=("log",))[0].outcome == "verified"


def test_recomputing_names_the_entry_that_was_changed(steward: Browser, timed_site: Site) -> None:
    with sqlite3.connect(timed_site.folder.journal) as connection:
        connection.execute("DROP TRIGGER entries_are_never_changed")
        connection.execute("UPDATE entries SET outcome = 'done' WHERE position = 5")
    connection.close()

    steward.send("/log/verify")

    assert "Entry 5 of the journal was changed" in steward.get("/log").text


def test_steward_takes_away_what_the_filter_shows(steward: Browser, timed_site: Site) -> None:
    table = list(csv.DictReader(io.StringIO(steward.get(f"/log.csv?about={RUN}").text)))
    lines = [json.loads(line) for line in steward.get("/log.json?kind=work").text.splitlines()]

    assert len(table) == 10
    assert json.loads(table[0]["detail"])["run"] == RUN
    assert len(lines) == 130
    assert lines[0]["position"] < lines[-1]["position"]
    taken = [
        (entry.outcome, entry.person, entry.detail["form"]) for entry in timed_site.journal.entries(kinds=("log",))
    ]
    assert taken == [("downloaded", "stan", "json"), ("downloaded", "stan", "csv")]
    assert steward.get("/log.exe").status_code == 404


def test_voter_does_not_take_the_log_away(browser: Browser, timed_site: Site) -> None:
    browser.log_in("vera")

    assert browser.get("/log.csv").status_code == 403
    assert timed_site.journal.entries(kinds=("log",)) == []
