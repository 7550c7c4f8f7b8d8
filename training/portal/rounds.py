"""A run's rounds as a strip and as a table: how each fared, who was lost and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from training.models import Attempt, Round, Run, SitePart
from training.portal.attendance import GONE
from training.portal.hues import Sites
from training.portal.reasons import reason_in_words

# A strip of so many rounds is still read at a glance; of a longer run the newest are shown.
LONGEST_STRIP = 50


@dataclass(frozen=True, slots=True)
class Absence:
    """A site that an attempt went on without, and the reason in words."""

    attempt: int
    site: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class RoundRow:
    """One round; `attempt` is the one that closed it, or the newest."""

    number: str
    attempt: Attempt | None
    tries: int
    is_closed: bool
    answered: str
    roster: str
    absences: tuple[Absence, ...]
    given_up: tuple[str, ...]
    block: str
    seconds: str


@dataclass(frozen=True, slots=True)
class Tile:
    """One round of the strip."""

    number: str
    css: str
    note: str
    word: str
    is_present: bool = False


def shown_attempt(one: Round) -> Attempt | None:
    attempts = list(one.attempts.all())
    return next((a for a in attempts if a.number == one.closed_attempt), attempts[-1] if attempts else None)


def round_row(one: Round, sites: Sites) -> RoundRow:
    attempts = list(one.attempts.all())
    shown = shown_attempt(one)
    answered = {str(part.organization_id) for part in shown.parts.all() if _has_answered(part)} if shown else set()
    roster = shown.roster if shown else []
    return RoundRow(
        number=str(one.number),
        attempt=shown,
        tries=len(attempts),
        is_closed=one.closed_at is not None,
        answered=str(len(answered.intersection(roster))),
        roster=str(len(roster)),
        absences=tuple(_absences(attempts, sites)),
        given_up=tuple(a.abandoned_text or a.abandoned_reason for a in attempts if a.state == Attempt.State.ABANDONED),
        block="-" if one.closed_block is None else f"{one.closed_block:,}",
        seconds=_seconds(one, attempts),
    )


def strip_of(run: Run, rounds: Sequence[Round], is_live: bool) -> list[Tile]:
    """Return a tile for each round that was, is and will be."""
    known = {one.number: one for one in rounds}
    newest = max(known, default=0)
    first = max(1, min(newest, run.rounds) - LONGEST_STRIP + 1)
    last = min(run.rounds, first + LONGEST_STRIP - 1)
    return [_tile(number, known.get(number), is_live, number == newest) for number in range(first, last + 1)]


def _tile(number: int, one: Round | None, is_live: bool, is_newest: bool) -> Tile:
    if one is None:
        return Tile(str(number), "planned", "", _("planned") if is_live else _("never reached"))
    tries = len(one.attempts.all())
    if one.closed_at is None:
        if not is_live:
            return Tile(str(number), "failed", _("not closed"), "")
        # A round is closed by the opening of the next one.
        return Tile(str(number), "open", _("open") if is_newest else _("closing"), "", is_present=is_newest)
    if tries > 1:
        note = ngettext("%(n)d try", "%(n)d tries", tries) % {"n": tries}
        return Tile(str(number), "again", note, _("closed"))
    return Tile(str(number), "closed", f"{_seconds(one, list(one.attempts.all()))} s", _("closed"))


def _has_answered(part: SitePart) -> bool:
    return bool(getattr(part, "has_vector", False))


def _absences(attempts: Iterable[Attempt], sites: Sites) -> Iterable[Absence]:
    for attempt in attempts:
        for part in attempt.parts.all():
            if part.outcome in GONE:
                reason = reason_in_words(part.code, part.text)
                name = sites[part.organization_id].name
                yield Absence(attempt.number, name, str(part.get_outcome_display()), reason)


def _seconds(one: Round, attempts: list[Attempt]) -> str:
    """From the first announcement to the close on the chain."""
    if one.closed_at is None or not attempts:
        return "-"
    return f"{(one.closed_at - attempts[0].announced_at).total_seconds():,.1f}"
