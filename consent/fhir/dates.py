"""FHIR's partial dates as instants: a period's end includes all that its precision names.

A date without a time zone is taken in UTC. `[start, end]` of FHIR becomes our half-open `[from, until)`: an end
of 2025-12-31 is until 2026-01-01T00:00:00Z. Parts of a second are cut so that a window only gets shorter.
"""

import re
from datetime import UTC, datetime, timedelta

from consent.fhir.errors import ConsentElementError

_DATE = re.compile(
    r"(?P<year>[12]\d{3}|9999)(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<time>\d\d:\d\d:\d\d)(?P<fraction>\.\d{1,9})?(?P<zone>Z|[+-]\d\d:\d\d))?)?)?\Z",
    re.ASCII,
)
_SECOND = timedelta(seconds=1)
# What many systems write for "without end"
_NEVER = "9999"


def is_fhir_date(text: object) -> bool:
    """Say whether the value is a date or dateTime as FHIR R4 writes them, and exists in the calendar."""
    if not isinstance(text, str):
        return False
    try:
        _first_instant(text, "")
    except ConsentElementError:
        return False
    return True


def start_of(text: str, path: str) -> datetime:
    """Return the first whole second that lies in the date; `ConsentElementError` naming the path if it is none."""
    first, precision = _first_instant(text, path)
    return first + _SECOND if precision == "fraction" else first


def end_of(text: str, path: str) -> datetime | None:
    """Return the instant after the date's last one, None for the year 9999."""
    first, precision = _first_instant(text, path)
    if text.startswith(_NEVER):
        return None
    if precision == "year":
        return first.replace(year=first.year + 1)
    if precision == "month":
        return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first + {"day": timedelta(days=1), "time": _SECOND, "fraction": timedelta()}[precision]


def _first_instant(text: str, path: str) -> tuple[datetime, str]:
    match = _DATE.match(text)
    if match is None:
        raise ConsentElementError(path, "is not a FHIR date such as 2026, 2026-01, 2026-01-31 or 2026-01-31T12:00:00Z")
    parts = match.groupdict()
    precision = next(name for name in ("fraction", "time", "day", "month", "year") if parts[name] is not None)
    zone = (parts["zone"] or "Z").replace("Z", "+00:00")
    iso = f"{parts['year']}-{parts['month'] or '01'}-{parts['day'] or '01'}T{parts['time'] or '00:00:00'}{zone}"
    try:
        instant = datetime.fromisoformat(iso).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ConsentElementError(path, "is a date that does not exist") from error
    zero = parts["fraction"] is not None and not parts["fraction"].strip(".0")
    return instant, "time" if zero else precision
