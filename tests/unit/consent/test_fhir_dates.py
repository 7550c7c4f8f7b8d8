from datetime import UTC, datetime

import pytest

from consent.fhir.dates import end_of, is_fhir_date, start_of
from consent.fhir.errors import ConsentElementError


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2026", (2026, 1, 1), (2027, 1, 1)),
        ("2026-02", (2026, 2, 1), (2026, 3, 1)),
        ("2026-12", (2026, 12, 1), (2027, 1, 1)),
        ("2024-02-29", (2024, 2, 29), (2024, 3, 1)),
        ("2026-12-31", (2026, 12, 31), (2027, 1, 1)),
        ("2026-01-31T12:00:00Z", (2026, 1, 31, 12), (2026, 1, 31, 12, 0, 1)),
        ("2026-01-01T00:30:00+01:00", (2025, 12, 31, 23, 30), (2025, 12, 31, 23, 30, 1)),
        ("2026-01-31T12:00:00.000Z", (2026, 1, 31, 12), (2026, 1, 31, 12, 0, 1)),
        # a part of a second only ever shortens the window
        ("2026-01-31T12:00:00.5Z", (2026, 1, 31, 12, 0, 1), (2026, 1, 31, 12)),
    ],
)
def test_end_includes_all_that_its_precision_names(text: str, first: tuple[int, ...], after: tuple[int, ...]) -> None:
    assert start_of(text, "p") == datetime(*first, tzinfo=UTC)  # type: ignore[arg-type,misc] # parts of a date
    assert end_of(text, "p") == datetime(*after, tzinfo=UTC)  # type: ignore[arg-type,misc] # parts of a date


def test_year_9999_is_never() -> None:
    assert end_of("9999-12-31", "p") is None
    assert end_of("9999", "p") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "26",
        "2026-1-1",
        "2026-13",
        "2026-02-30",
        "2026-01-01T10:00Z",
        "2026-01-01T10:00:00",
        "2026-01-01T25:00:00Z",
        "2026-01-01T10:00:60Z",
        "0026-01-01",
        "2026-01-01\n",
        "2026-01-01T10:00:00+25:00",
        "9999-12-31T23:59:59-10:00",
    ],
)
def test_what_is_no_date_is_refused_with_its_place(text: str) -> None:
    assert not is_fhir_date(text)
    for read in (start_of, end_of):
        with pytest.raises(ConsentElementError) as refusal:
            read(text, "Consent.dateTime")
        assert refusal.value.problem.path == "Consent.dateTime"
