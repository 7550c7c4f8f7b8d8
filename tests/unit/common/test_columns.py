"""Which columns data sets share, and what all names of a row of seats begin with."""

from types import SimpleNamespace
from typing import Any

from consent.portal.data_sets import compare
from consortium.governance.portal.seats import common_words


def card(*columns: dict[str, Any]) -> Any:
    return SimpleNamespace(columns=list(columns), row=SimpleNamespace(organization=SimpleNamespace(name="Hospital")))


def test_columns_of_all_sites_come_first_and_one_name_with_two_meanings_differs():
    age = {"name": "age", "kind": "numeric", "unit": "a"}
    rows = compare([card(age, {"name": "sex", "kind": "binary"}), card(age, {"name": "sex", "kind": "categorical"})])

    assert [(row.name, row.kind, row.has, row.differs) for row in rows] == [
        ("age", "numeric", (True, True), False),
        ("sex", "binary", (True, False), True),
        ("sex", "categorical", (False, True), True),
    ]
    assert rows[0].is_shared


def test_seats_leave_out_the_words_that_all_names_begin_with():
    assert common_words(["Hospital 3.6", "Hospital 2.1"]) == "Hospital"
    assert common_words(["Hospital", "Bank"]) == ""
    assert common_words(["Hospital", "Hospital North"]) == ""
    assert common_words(["Alone 1"]) == ""
