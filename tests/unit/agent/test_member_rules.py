"""Local rules on the member page: changed by stewards, in force at once, brought back by a click."""

import re

import pytest

from agent.site import Site
from tests.unit.agent.browsers import Browser


@pytest.fixture
def steward(browser: Browser) -> Browser:
    browser.log_in("stan")
    return browser


def form(text: str) -> dict[str, str]:
    """Return what the rules' form would send as it stands."""
    fields = dict(re.findall(r'<input class="input input-short" id="\w+" name="(\w+)"[^>]*? value="([^"]*)"', text))
    chosen = re.search(r'<option value="(auto|hand)" selected>', text)
    assert chosen is not None
    fields["plans_by_hand"] = chosen[1]
    for name in ("purposes", "work_kinds"):
        radio = re.search(rf'name="{name}" value="(all|some)" checked', text)
        assert radio is not None
        fields[name] = radio[1]
        boxes = re.findall(rf'name="({name}:[^"]+)" value="on" checked', text)
        fields |= dict.fromkeys(boxes, "on")
    return fields


def test_form_as_it_stands_changes_nothing(steward: Browser, timed_site: Site) -> None:
    before = timed_site.folder.configuration.read_bytes()

    answer = steward.send("/rules", **form(steward.get("/rules").text))

    assert answer.headers["location"] == "/rules?done=unchanged"
    assert timed_site.folder.configuration.read_bytes() == before


def test_change_is_in_force_at_once_and_in_the_log_with_both_values(steward: Browser, timed_site: Site) -> None:
    fields = form(steward.get("/rules").text)

    answer = steward.send("/rules", **{**fields, "minimum_cohort": "50", "plans_by_hand": "hand"})

    assert answer.headers["location"] == "/rules?done=saved"
    rules = timed_site.configuration.rules
    assert (rules.minimum_cohort, rules.plans_by_hand, rules.purposes) == (50, True, None)
    details = [dict(entry.detail) for entry in timed_site.rules_file.history()]
    assert {"rule": "minimum_cohort", "old": 10, "new": 50} in details
    assert "minimum_cohort: 10 → 50" in steward.get("/log").text


def test_a_steward_has_differences_of_the_allow_list_told_alone(steward: Browser, timed_site: Site) -> None:
    assert '<option value="mend" selected>' in steward.get("/rules").text
    fields = form(steward.get("/rules").text)

    steward.send("/rules", **{**fields, "repair_allow_list": "tell"})

    assert not timed_site.configuration.rules.repair_allow_list
    assert '<option value="tell" selected>' in steward.get("/rules").text


def test_purposes_and_kinds_are_chosen_by_box_and_code(steward: Browser, timed_site: Site) -> None:
    fields = {name: value for name, value in form(steward.get("/rules").text).items() if ":" not in name}
    chosen = {"purposes": "some", "purposes:DUO:0000006": "on", "more_purposes": "DUO:0000007[MONDO:0005267]"}

    steward.send("/rules", **fields | chosen | {"work_kinds": "some", "work_kinds:ping": "on"})

    rules = timed_site.configuration.rules
    assert rules.purposes == ("DUO:0000006", "DUO:0000007[MONDO:0005267]")
    assert rules.work_kinds == ("ping",)
    again = form(steward.get("/rules").text)
    assert again["purposes:DUO:0000007[MONDO:0005267]"] == "on"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"minimum_cohort": "0"}, "Smallest cohort must lie within 1 and 2147483648"),
        ({"max_rounds": "many"}, "Most rounds a run: give a whole number"),
        ({"max_rounds": "9" * 30}, "give a whole number"),
        ({"purposes": "some", "more_purposes": "HMBX"}, "Unknown purpose"),
        ({"work_kinds": "some", "work_kinds:steal": "on"}, "no work of the kind steal"),
        ({"work_kinds": "some"}, "choose at least one"),
        ({"pass_phrase": "wrong"}, "pass phrase is wrong"),
        ({"csrf_token": "another"}, "not of this page"),
    ],
)
def test_wrong_value_is_refused_by_name_and_changes_nothing(
    steward: Browser, timed_site: Site, change: dict[str, str], says: str
) -> None:
    before = timed_site.folder.configuration.read_bytes()
    fields = {name: value for name, value in form(steward.get("/rules").text).items() if ":" not in name}

    answer = steward.send("/rules", **{**fields, "signatures_per_minute": "7", **change})

    assert answer.status_code in {400, 403}
    assert says in answer.text
    assert timed_site.folder.configuration.read_bytes() == before
    assert timed_site.configuration.rules.signatures_per_minute == 120
    assert timed_site.rules_file.history() == []


def test_error_is_tied_to_the_field_that_is_wrong(steward: Browser) -> None:
    fields = form(steward.get("/rules").text)

    text = steward.send("/rules", **{**fields, "minimum_cohort": "0"}).text

    assert 'aria-invalid="true" aria-describedby="minimum_cohort-error minimum_cohort-help"' in text
    assert 'id="minimum_cohort-error"' in text
    assert text.count("aria-invalid") == 1
    wrong = steward.send("/rules", **fields | {"pass_phrase": "wrong"}).text
    assert 'aria-invalid="true" aria-describedby="pass_phrase-error"' in wrong


def test_refused_form_keeps_what_was_typed(steward: Browser) -> None:
    fields = form(steward.get("/rules").text)

    answer = steward.send("/rules", **{**fields, "minimum_cohort": '0"><script>', "max_rounds": "17"})

    assert 'name="max_rounds" type="text" inputmode="numeric" autocomplete="off" value="17"' in answer.text
    assert "<script>" not in answer.text.replace('<script src="', "")


def test_voter_reads_rules_and_changes_none(browser: Browser, timed_site: Site) -> None:
    browser.log_in("vera")
    before = timed_site.folder.configuration.read_bytes()
    assert "Only a steward of this member changes rules." in browser.get("/rules").text

    assert browser.send("/rules", minimum_cohort="50").status_code == 403

    assert timed_site.folder.configuration.read_bytes() == before


def test_earlier_value_is_filled_in_and_saved_by_hand(steward: Browser, timed_site: Site) -> None:
    fields = form(steward.get("/rules").text)
    steward.send("/rules", **{**fields, "minimum_cohort": "50", "max_rounds": "20"})
    entry = next(one for one in timed_site.rules_file.history() if one.detail["rule"] == "minimum_cohort")
    assert f'href="/rules?undo={entry.position}"' in steward.get("/rules").text

    filled = steward.get(f"/rules?undo={entry.position}").text

    assert "An earlier value is filled in" in filled
    assert form(filled) | {"minimum_cohort": "10", "max_rounds": "20"} == form(filled)
    assert timed_site.configuration.rules.minimum_cohort == 50
    steward.send("/rules", **form(filled))
    assert timed_site.configuration.rules.minimum_cohort == 10
    assert steward.get("/rules?undo=99999").status_code == 200
    assert steward.get("/rules?undo=x").status_code == 200


def test_file_changed_by_hand_is_said(steward: Browser, timed_site: Site) -> None:
    text = timed_site.folder.configuration.read_text().replace("max_rounds = 1000", "max_rounds = 999")
    timed_site.folder.configuration.write_text(text)

    assert "site.toml was changed by hand" in steward.get("/rules").text
