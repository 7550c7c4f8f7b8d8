"""A report's days: in order, not in the future, and what lies outside is left out while the proof covers it."""

from datetime import date

import pytest

from audit.compliance.periods import Period, PeriodInvalidError, checked_period, years_before
from audit.compliance.registry import make_report
from tests.unit.compliance.cases import ANCHOR, act, evidence, round_of

TODAY = date(2026, 11, 26)


def values(report, part=0):
    return {field["name"]: field["value"] for field in report["parts"][part]["fields"]}


@pytest.mark.parametrize("since", [date(2026, 11, 26), date(2020, 2, 29)])
def test_a_period_may_be_one_day_and_end_today(since):
    assert checked_period(since, TODAY, today=TODAY) == Period(since, TODAY)


def test_an_end_before_the_beginning_and_one_after_today_are_refused_with_the_remedy():
    with pytest.raises(PeriodInvalidError, match="Choose an end that is not before the beginning"):
        checked_period(TODAY, date(2026, 11, 25), today=TODAY)
    with pytest.raises(PeriodInvalidError, match=r"today is 2026-11-26 \(UTC\)\. Choose today or an earlier day"):
        checked_period(TODAY, date(2026, 11, 27), today=TODAY)


def test_six_years_before_a_leap_day_is_the_28th():
    assert years_before(date(2028, 2, 29), 6) == date(2022, 2, 28)
    assert years_before(date(2026, 11, 26), 6) == date(2020, 11, 26)


@pytest.mark.parametrize(
    ("moment", "is_covered"),
    [
        ("2026-11-25T23:59:59.999999Z", False),
        ("2026-11-26T00:00:00.000000Z", True),
        ("2026-11-26T23:59:59.999999Z", True),
        ("2026-11-27T00:00:00Z", False),
        (None, False),
    ],
)
def test_a_day_begins_and_ends_at_midnight_in_utc(moment, is_covered):
    assert Period(TODAY, TODAY).covers(moment) == is_covered


def test_records_outside_the_period_are_left_out_while_log_and_anchors_stay():
    outside = act(recorded_at="2026-10-31T23:59:59.000000Z")
    report = make_report("hipaa_164_312_b", evidence(outside, act(1), act(2), anchors=[ANCHOR]))

    assert report["period"] == {"from": "2026-11-01", "until": "2026-11-30"}
    assert (values(report)["acts"], values(report)["log_size"]) == (2, 3)
    assert next(table for table in report["parts"][0]["tables"] if table["name"] == "anchors")["rows"]


def test_rounds_outside_the_period_are_left_out_of_a_dossier():
    made = evidence(period=Period(date(2026, 11, 24), date(2026, 11, 30)))
    report = make_report("ai_act_annex_iv", made)

    rounds = next(field for field in report["parts"][1]["fields"] if field["name"] == "rounds")
    assert (rounds["value"], rounds["reason"]) == (None, "No round of this run was closed in the period.")
    assert made.model is not None
    assert made.model.run.rounds[0] == round_of(1)
