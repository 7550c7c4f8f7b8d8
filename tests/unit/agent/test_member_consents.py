"""Consents on the member page: exact numbers here, withdrawals confirmed, erasures typed."""

import re

import pytest

from agent.site import Site
from consent.fhir.generator import GeneratedConsents
from tests.unit.agent.browsers import Browser
from tests.unit.agent.worlds import CONSORTIUM, PHRASE
from tests.unit.agent_consents.worlds import generated, write_lines


@pytest.fixture
def made(timed_site: Site) -> GeneratedConsents:
    consents = generated(12)
    path = write_lines(timed_site.folder.root.parent / "consents.ndjson", consents.resources)
    timed_site.consents.importer.import_file(path, consortia=[CONSORTIUM])
    return consents


@pytest.fixture
def record(made: GeneratedConsents) -> str:
    return str(min(made.permitting()))


@pytest.fixture
def steward(browser: Browser) -> Browser:
    browser.log_in("stan")
    return browser


def figures(text: str) -> dict[str, int]:
    found = re.findall(r'<dt>([^<]+)</dt><dd class="metric">([\d,]+)</dd>', text)
    return {name: int(value.replace(",", "")) for name, value in found}


def test_numbers_are_exact_here_and_count_each_subject_once(steward: Browser, made: GeneratedConsents) -> None:
    text = steward.get("/consents").text

    found = figures(text)
    assert sum(found.values()) == 12
    assert found["In force"] == len(set(made.permitting()))
    assert "others see" in text


def test_nothing_yet_teaches_the_first_step(steward: Browser) -> None:
    text = steward.get("/consents").text

    assert "No consents yet." in text
    assert 'href="/consents/imports"' in text


def test_withdrawal_is_asked_once_more_and_then_holds(steward: Browser, timed_site: Site, record: str) -> None:
    asked = {"record": record, "reason": "objection", "when": "now"}
    before, withdrawn = timed_site.consents.store.generation, figures(steward.get("/consents").text)["Withdrawn"]

    confirm = steward.send("/consents/withdrawals", **asked)
    assert confirm.status_code == 200
    assert "permits nothing from now on" in confirm.text
    assert timed_site.consents.store.generation == before

    answer = steward.send("/consents/withdrawals", **asked, step="confirmed")

    assert answer.headers["location"] == "/consents/withdrawals?done=withdrawn"
    (one,) = timed_site.consents.overview.withdrawals()
    assert (one.consents, one.progress.value, one.seconds) == (1, "received", None)
    page = steward.get("/consents/withdrawals?done=withdrawn").text
    assert "No cohort of this site holds the subject any more" in page
    assert "Out of every cohort here" in page
    assert record not in page
    ordered, received = timed_site.journal.entries(kinds=("withdrawal",))
    assert (ordered.outcome, ordered.person, ordered.detail["withdrawal"]) == ("ordered", "stan", str(one.id))
    assert received.outcome == "received"
    assert figures(steward.get("/consents").text)["Withdrawn"] == withdrawn + 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"pass_phrase": "wrong"}, 403),
        ({"record": "nobody"}, 400),
        ({"record": ""}, 400),
        ({"record": "a\nb"}, 400),
        ({"reason": "boredom"}, 400),
        ({"csrf_token": "another"}, 403),
    ],
)
def test_withdrawal_that_is_wrong_changes_nothing(
    steward: Browser, timed_site: Site, record: str, change: dict[str, str], status: int
) -> None:
    before = timed_site.consents.store.generation
    fields = {"record": record, "reason": "objection", "when": "now", "step": "confirmed", **change}

    answer = steward.send("/consents/withdrawals", **fields)

    assert answer.status_code == status
    assert timed_site.consents.store.generation == before
    assert timed_site.consents.overview.withdrawals() == []


def test_voter_withdraws_erases_and_anchors_nothing(browser: Browser, timed_site: Site, record: str) -> None:
    browser.log_in("vera")
    before = timed_site.consents.store.generation
    fields = {"record": record, "reason": "objection", "step": "confirmed", "word": "erase"}

    for path in ("/consents/withdrawals", "/consents/erasures", "/consents/epoch"):
        assert browser.send(path, **fields).status_code == 403

    assert timed_site.consents.store.generation == before
    assert "Erase a subject" not in browser.get("/consents/withdrawals").text


def test_record_with_markup_is_escaped_where_it_is_repeated(
    steward: Browser, timed_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = steward.send("/consents/withdrawals", record='"><script>alert(1)</script>', reason="other")

    assert answer.status_code == 400
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("change", [{"word": "no"}, {"pass_phrase": "wrong"}, {"record": "nobody"}])
def test_erasure_needs_its_word_the_pass_phrase_and_a_known_record(
    steward: Browser, timed_site: Site, record: str, change: dict[str, str]
) -> None:
    answer = steward.send("/consents/erasures", **{"record": record, "word": "erase", **change})

    assert answer.status_code in {400, 403}
    assert timed_site.consents.store.numbers()["subjects"] == 12


def test_erased_subject_is_gone_for_good(steward: Browser, timed_site: Site, record: str) -> None:
    answer = steward.send("/consents/erasures", record=record, word="Erase")

    assert answer.headers["location"] == "/consents/withdrawals?done=erased"
    assert timed_site.consents.store.numbers()["subjects"] == 11
    outcomes = [(entry.outcome, entry.person) for entry in timed_site.journal.entries(kinds=("erasure",))]
    assert outcomes == [("ordered", "stan"), ("done", "")]
    assert PHRASE not in str(timed_site.journal.entries())


def test_epoch_is_wished_for_by_a_steward(steward: Browser, timed_site: Site, made: GeneratedConsents) -> None:
    timed_site.consents.anchoring.effects.grant_wish(CONSORTIUM)

    steward.send("/consents/epoch")

    assert timed_site.consents.anchoring.effects.is_epoch_wished(CONSORTIUM)
