"""Whether a site that has not answered is still waited for: a pure rule over what the channel knows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from training.coordination.patience import Patience


@dataclass(frozen=True, slots=True)
class Signs:
    """Signs of life of a site: when its work was published, taken and last beaten for, and its last poll."""

    published_at: datetime
    beat_at: datetime | None
    seen_at: datetime | None


def lost_because(signs: Signs, now: datetime, patience: Patience) -> str | None:
    """Return why the site is not waited for any longer, None while it is.

    A poll may wait for twenty seconds, so an old `seen_at` alone says little: a site that is there takes
    its work at once.
    """
    if signs.beat_at is not None:
        silent = (now - signs.beat_at).total_seconds()
        return f"no sign of life for {silent:.1f} s" if silent > patience.silence else None
    if now - signs.published_at <= timedelta(seconds=patience.grace):
        return None
    if signs.seen_at is not None and now - signs.seen_at <= timedelta(seconds=patience.absent):
        return None
    return "its agent is not there"
