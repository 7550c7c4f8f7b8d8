"""Each site in one attempt: how it stands now, and why it waits or does not take part."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from consortium.kernel.bands import EDGES, band_label
from training.domain.states import AttemptState
from training.models import Attempt, SitePart
from training.portal.hues import Site, Sites
from training.portal.reasons import reason_in_words
from training.portal.steps import awaited_in

GONE = frozenset({SitePart.Outcome.LOST, SitePart.Outcome.REFUSED, SitePart.Outcome.LATE})


@dataclass(frozen=True, slots=True)
class Row:
    """A site's line; `meaning` and `icon` make the badge."""

    site: Site
    word: str
    meaning: str
    icon: str
    why: str
    cohort: str
    epoch: str
    entry: str


def attendance_of(attempt: Attempt, parts: Sequence[SitePart], sites: Sites) -> list[Row]:
    """Return a line for each site that was asked, own organization first."""
    awaited = {part.pk for part in awaited_in(attempt, parts)}
    rows = [_row(attempt, part, sites[part.organization_id], part.pk in awaited) for part in parts]
    return sorted(rows, key=lambda row: (not row.site.is_own, row.site.name))


def band_in_words(edge: object) -> str:
    """Return a band; another number would be a count, and is not written."""
    return band_label(edge) if isinstance(edge, int) and (edge == 0 or edge in EDGES) else "-"


def _row(attempt: Attempt, part: SitePart, site: Site, is_awaited: bool) -> Row:
    word, meaning, icon, why = _state(attempt, part, is_awaited)
    return Row(
        site=site,
        word=word,
        meaning=meaning,
        icon=icon,
        why=why,
        cohort=band_in_words(part.band),
        epoch="-" if part.epoch is None else f"{part.epoch:,}",
        entry=str(getattr(part, "entry", None) or "-"),
    )


def _state(attempt: Attempt, part: SitePart, is_awaited: bool) -> tuple[str, str, str, str]:
    if part.outcome in GONE:
        icon = "ban" if part.outcome == SitePart.Outcome.REFUSED else "circle-x"
        return str(part.get_outcome_display()), "is-refused", icon, reason_in_words(part.code, part.text)
    if attempt.opened_at is not None and str(part.organization_id) not in attempt.roster:
        why = _("The round opened with the sites whose commitments stood in its block. It is asked again next round.")
        return _("Not in this round"), "", "circle-dashed", why
    if attempt.state == AttemptState.ABANDONED:
        return _("Given up"), "", "circle-dashed", ""
    if is_awaited:
        return _awaited(attempt, part)
    if attempt.state == AttemptState.CLOSED:
        return _("Took part"), "is-settled", "check", ""
    return _("Answered"), "is-settled", "check", ""


def _awaited(attempt: Attempt, part: SitePart) -> tuple[str, str, str, str]:
    if attempt.opened_at is None:
        why = _("Asked for its signed commitment to a consented cohort; its agent answers when it next asks for work.")
        return _("Waited for"), "is-waiting", "clock-3", why
    if attempt.collected_at is None and attempt.dealt_at is not None:
        return _("Training"), "is-underway", "activity", _("At its own records, on its own machine.")
    return _("Waited for"), "is-waiting", "clock-3", _("It has the request; its answer is not in yet.")
