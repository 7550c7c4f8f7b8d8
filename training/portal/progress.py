"""A run's rounds as a member reads them: how each fared, who was lost and why, and what the sums say."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from consortium.kernel.bands import band_label
from consortium.kernel.errors import InvalidInputError
from training.models import Attempt, Round, Run, SitePart
from training.portal.charts import Chart, Series, line_chart
from training.portal.reads import names_of, rounds_of

# Pixels of the widest page and of a phone: drawn one to one, the text keeps its size.
WIDE, NARROW = (1072, 240), (326, 190)
_GONE = frozenset({SitePart.Outcome.LOST, SitePart.Outcome.REFUSED, SitePart.Outcome.LATE})


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
class MetricRow:
    """A round's pooled figures of the weights it started from; the number of rows only as a band."""

    number: str
    auc: str
    error_bound: str
    accuracy: str
    calibration: str
    rows: str


def progress_of(run: Run) -> dict[str, Any]:
    """Everything on the run's page that changes while it runs."""
    rounds = rounds_of(run)
    parts = [part for one in rounds for attempt in one.attempts.all() for part in attempt.parts.all()]
    names = names_of({part.organization_id for part in parts})
    measured = [one for one in rounds if one.metrics]
    return {
        "rounds": [_round_row(one, names) for one in rounds],
        "closed": sum(one.closed_at is not None for one in rounds),
        "metrics": [_metric_row(one) for one in measured],
        "charts": _charts(measured, run.rounds),
    }


def _round_row(one: Round, names: dict[UUID, str]) -> RoundRow:
    attempts = list(one.attempts.all())
    shown = next((a for a in attempts if a.number == one.closed_attempt), attempts[-1] if attempts else None)
    answered = {str(part.organization_id) for part in shown.parts.all() if _has_answered(part)} if shown else set()
    roster = shown.roster if shown else []
    return RoundRow(
        number=str(one.number),
        attempt=shown,
        tries=len(attempts),
        is_closed=one.closed_at is not None,
        answered=str(len(answered.intersection(roster))),
        roster=str(len(roster)),
        absences=tuple(_absences(attempts, names)),
        given_up=tuple(a.abandoned_text or a.abandoned_reason for a in attempts if a.state == Attempt.State.ABANDONED),
        block="-" if one.closed_block is None else f"{one.closed_block:,}",
        seconds=_seconds(one, attempts),
    )


def _has_answered(part: SitePart) -> bool:
    return bool(getattr(part, "answered", False))


def _absences(attempts: Iterable[Attempt], names: dict[UUID, str]) -> Iterable[Absence]:
    for attempt in attempts:
        for part in attempt.parts.all():
            if part.outcome in _GONE:
                name = names.get(part.organization_id, _("A former member"))
                reason = part.text or part.code or _("no reason given")
                yield Absence(attempt.number, name, str(part.get_outcome_display()), reason)


def _seconds(one: Round, attempts: list[Attempt]) -> str:
    """From the first announcement to the close on the chain."""
    if one.closed_at is None or not attempts:
        return "-"
    return f"{(one.closed_at - attempts[0].announced_at).total_seconds():,.1f}"


def _metric_row(one: Round) -> MetricRow:
    found = one.metrics
    return MetricRow(
        number=str(one.number),
        auc=_figure(found.get("auc")),
        error_bound=_figure(found.get("auc_error_bound"), digits=4),
        accuracy=_figure(found.get("accuracy")),
        calibration=_figure(found.get("calibration_error")),
        rows=_band(found.get("rows_band")),
    )


def _figure(value: object, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if isinstance(value, int | float) else "-"


def _band(edge: object) -> str:
    """Only the edge of a band is written; another number would be a count."""
    if not isinstance(edge, int):
        return "-"
    try:
        return band_label(edge)
    except InvalidInputError:
        return "-"


def _charts(rounds: list[Round], last_round: int) -> list[tuple[str, Chart]]:
    """The same chart for wide screens and for phones; none before a round was measured."""
    labels = (("auc", _("AUC"), "mean"), ("accuracy", _("Accuracy"), "alt"))
    values = {
        key: [(one.number, float(one.metrics[key])) for one in rounds if isinstance(one.metrics.get(key), int | float)]
        for key, _label, _kind in labels
    }
    series = [Series(label, kind, values[key]) for key, label, kind in labels if values[key]]
    if not series:
        return []
    return [
        (place, line_chart(series, last_round=last_round, width=width, height=height))
        for place, (width, height) in (("only-wide", WIDE), ("only-phone", NARROW))
    ]
