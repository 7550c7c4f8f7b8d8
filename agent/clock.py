"""Times as the site writes them: aware, UTC, RFC 3339."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Return the moment in RFC 3339 with microseconds and Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_seconds(seconds: int) -> datetime:
    """Return the moment of a block's time, seconds after 1970."""
    return datetime.fromtimestamp(seconds, UTC)
