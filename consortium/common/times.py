"""Spans of time in words, as a person says them: the two largest units at most."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def span(length: timedelta) -> str:
    """A length such as "2 s", "12 min", "1 day 3 h"; never negative."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < _MINUTE:
        return _("%(n)s s") % {"n": seconds}
    if seconds < _HOUR:
        return _("%(n)s min") % {"n": seconds // _MINUTE}
    if seconds < _DAY:
        hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
        return _("%(n)s h") % {"n": hours} + (" " + _("%(n)s min") % {"n": minutes} if minutes and hours < 6 else "")
    days, hours = seconds // _DAY, seconds % _DAY // _HOUR
    words = _("1 day") if days == 1 else _("%(n)s days") % {"n": days}
    return words + (" " + _("%(n)s h") % {"n": hours} if hours and days < 3 else "")


def ago(moment: datetime) -> str:
    """How long ago: "3 s ago"."""
    return _("%(span)s ago") % {"span": span(timezone.now() - moment)}


def until(moment: datetime) -> str:
    """How long until: "in 3 h", or that it is over."""
    left = moment - timezone.now()
    return _("in %(span)s") % {"span": span(left)} if left > timedelta(0) else _("over")
