"""The table of gas says what the accepted figures are, and a change of more than 5 % is named."""

from tests.checks.gas import TABLE, accepted_figures, differences, table


def test_the_table_for_people_is_made_of_the_accepted_figures() -> None:
    assert TABLE.read_text() == table(accepted_figures())
    assert len(accepted_figures()) > 15


def test_a_change_of_five_percent_is_tolerated_and_one_above_it_is_named() -> None:
    accepted = {"ballot": 100_000, "close": 100_000, "revoke": 100_000}

    assert differences(accepted, {"ballot": 105_000, "close": 95_000, "revoke": 100_000}) == []
    assert differences(accepted, {"ballot": 105_001, "close": 94_999, "revoke": 100_000}) == [
        "ballot: 100,000 to 105,001 gas (+5.0%)",
        "close: 100,000 to 94,999 gas (-5.0%)",
    ]


def test_an_act_that_is_new_or_gone_is_named() -> None:
    assert differences({"ballot": 1}, {"veto": 2}) == [
        "veto: 2 gas is not in the table",
        "ballot is in the table and no longer measured",
    ]
