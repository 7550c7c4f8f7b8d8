"""The bound of secure aggregation explained with the numbers of a form, whether or not they hold."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from training.domain.run_terms import ensure_bound
from training.errors import BoundBrokenError
from training.portal.planning.numbers import suggested_colluders, suggested_threshold


@dataclass(frozen=True, slots=True)
class Line:
    """One statement and whether it holds."""

    words: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """What n, t and c come to: each condition with its numbers, then the consequence."""

    lines: tuple[Line, ...]
    summary: str
    holds: bool


def explain(*, sites: int, minimum: int, threshold: int, colluders: int, quorum: int) -> Explained:
    """Explain the bound for the fullest round and for the smallest one."""
    t, c = threshold, colluders
    lines = (
        _doubled(_("with all %(n)d sites"), sites, t, c),
        _doubled(_("with the fewest, %(n)d"), minimum, t, c),
        Line(
            _("t - c = %(d)d: a sum mixes at least two honest updates (needs 2)") % {"d": t - c},
            t - c >= 2,
        ),
        Line(
            _("%(m)d sites open a round, and %(t)d must stay to its end") % {"m": minimum, "t": t},
            t <= minimum <= sites,
        ),
        Line(
            _("%(q)d sites compute the result again (from %(c)d to %(m)d)") % {"q": quorum, "c": c + 1, "m": minimum},
            c < quorum <= minimum,
        ),
    )
    return Explained(lines, _summary(sites, t, c), all(line.holds for line in lines))


def explain_entries(entries: Mapping[str, str], sites: int) -> Explained:
    """Explain the bound for a form's entries; an empty or unreadable one counts as its suggestion."""
    threshold = suggested_threshold(sites)
    defaults = {"minimum_sites": threshold, "threshold": threshold, "verifier_quorum": threshold}
    found = {name: _whole(entries.get(name, ""), value) for name, value in defaults.items()}
    return explain(
        sites=sites,
        minimum=found["minimum_sites"],
        threshold=found["threshold"],
        colluders=_whole(entries.get("colluders", ""), suggested_colluders(sites)),
        quorum=found["verifier_quorum"],
    )


def _doubled(which: str, sites: int, t: int, c: int) -> Line:
    words = _("2t > n + c %(which)s: %(left)d > %(right)d, so one set of survivors is ever signed") % {
        "which": which % {"n": sites},
        "left": 2 * t,
        "right": sites + c,
    }
    return Line(words, 2 * t > sites + c)


def _summary(sites: int, t: int, c: int) -> str:
    try:
        ensure_bound(sites, t, c)
    except BoundBrokenError:
        advised = {"t": suggested_threshold(sites), "c": suggested_colluders(sites)}
        return _("Single updates would not stay closed. For these sites t = %(t)d and c = %(c)d hold.") % advised
    losses = sites - t
    tolerated = ngettext("%(n)d site may be lost in a full round", "%(n)d sites may be lost in a full round", losses)
    closed = _("No single update is opened, even to %(c)d of the sites together with the platform") % {"c": c}
    return f"{closed}; {tolerated % {'n': losses}}."


def _whole(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else default
