"""The days that a report speaks of: whole days in UTC, the first and the last included."""

from dataclasses import dataclass
from datetime import date, datetime

from consortium.kernel.errors import InvalidInputError


class PeriodInvalidError(InvalidInputError):
    """No report can speak of these days."""

    code = "period_invalid"


@dataclass(frozen=True, slots=True)
class Period:
    """From the beginning of one day to the end of another, in UTC."""

    since: date
    until: date

    def covers(self, moment: str | None) -> bool:
        """Say whether a time (RFC 3339, in UTC) lies in it; no time lies in none."""
        return moment is not None and self.since <= datetime.fromisoformat(moment).date() <= self.until

    def reaches(self, moment: str) -> bool:
        """Say whether a time lies before its end: what began then may still have lasted."""
        return datetime.fromisoformat(moment).date() <= self.until

    def as_json(self) -> dict[str, str]:
        return {"from": self.since.isoformat(), "until": self.until.isoformat()}


def years_before(day: date, years: int) -> date:
    """Return the same day some years earlier, the 28th for a 29th of February that the year lacks."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def checked_period(since: date, until: date, *, today: date) -> Period:
    """Return the period.

    Raises
    ------
    PeriodInvalidError
        If it ends before it begins, or after today: nothing is recorded of days to come.
    """
    if until < since:
        raise PeriodInvalidError(
            f"The period ends on {until} and begins on {since}. Choose an end that is not before the beginning."
        )
    if until > today:
        raise PeriodInvalidError(
            f"The period ends on {until}, which is not over: today is {today} (UTC). Choose today or an earlier day."
        )
    return Period(since, until)
