"""A member's colour is one rule for every page."""

from datetime import UTC, datetime
from types import SimpleNamespace

from consortium.common.hues import hues_of


def membership(name: str, day: int | None, status: str = "active") -> SimpleNamespace:
    made = datetime(2026, 1, 28, tzinfo=UTC)
    joined = None if day is None else datetime(2026, 1, day, tzinfo=UTC)
    return SimpleNamespace(
        organization_id=name, joined_at=joined, created_at=made, status=status, confirmed_block=1, pk=name
    )


def test_colours_follow_the_order_of_joining_and_applicants_have_none() -> None:
    rows = [membership("late", 9), membership("first", 1), membership("asks", None, "applicant")]

    assert hues_of(rows) == {"first": 1, "late": 2}


def test_a_colour_stays_when_a_member_is_removed_or_another_joins() -> None:
    rows = [membership(f"m{day}", day) for day in range(1, 10)]
    before = hues_of(rows)
    rows[2].status = "removed"

    after = hues_of([*rows, membership("new", 20)])

    assert {name: after[name] for name in before} == before
    assert before["m9"] == 1
