"""Instants of the consent rules: aware, UTC, whole seconds; every window is half-open, [from, until)."""

from datetime import UTC, datetime

from consortium.kernel.errors import InvalidInputError

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def require_instant(value: datetime, name: str) -> datetime:
    """Return the instant in UTC; `InvalidInputError` naming it if it is naive or has a part of a second."""
    if value.tzinfo is None or value.microsecond:
        raise InvalidInputError(f"The time {name} must have a time zone and whole seconds.")
    return value.astimezone(UTC)


def instant_to_text(value: datetime) -> str:
    """Return RFC 3339 in UTC with whole seconds, the one spelling that is digested."""
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def instant_from_text(text: str) -> datetime:
    """Read what `instant_to_text` writes; `InvalidInputError` for any other spelling."""
    try:
        value = datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
    except (ValueError, TypeError) as error:
        raise InvalidInputError("A time is written like 2026-01-31T12:00:00Z.") from error
    if instant_to_text(value) != text:
        raise InvalidInputError("A time is written like 2026-01-31T12:00:00Z.")
    return value


def earliest(*ends: datetime | None) -> datetime | None:
    """Return the earliest of several ends, None being never."""
    return min((end for end in ends if end is not None), default=None)
