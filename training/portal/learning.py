"""How the model learns: the rounds' pooled metrics as charts and as the table behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from training.models import Round
from training.portal.attendance import band_in_words
from training.portal.changes import Change
from training.portal.charts import Chart, Series, line_chart

# Pixels of half a wide page and of a phone: drawn one to one, the text keeps its size.
WIDE, NARROW = (500, 216), (326, 190)


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A round's pooled figures of the weights it started from; the number of rows only as a band."""

    number: str
    auc: str
    error_bound: str
    accuracy: str
    calibration: str
    rows: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One chart under its title, drawn for wide screens and for phones."""

    title: str
    drawings: tuple[tuple[str, Chart], ...]


def metric_rows(rounds: Sequence[Round]) -> list[MetricRow]:
    return [_metric_row(one) for one in rounds if one.metrics]


def figures_of(rounds: Sequence[Round], last_round: int, changes: Sequence[Change]) -> list[Figure]:
    """Return the charts of what was measured; none before a round was."""
    events = _events(changes)
    measured = (
        (_("AUC and accuracy by round"), (("auc", _("AUC"), "mean"), ("accuracy", _("Accuracy"), "alt"))),
        (_("Calibration error by round, lower is better"), (("calibration_error", _("Error"), "mean"),)),
    )
    found = ((title, _series(rounds, keys)) for title, keys in measured)
    return [Figure(title, _drawings(series, last_round, events)) for title, series in found if series]


def _series(rounds: Sequence[Round], keys: Sequence[tuple[str, str, str]]) -> list[Series]:
    values = {
        key: [(one.number, float(one.metrics[key])) for one in rounds if isinstance(one.metrics.get(key), int | float)]
        for key, _label, _kind in keys
    }
    return [Series(label, kind, values[key]) for key, label, kind in keys if values[key]]


def _drawings(
    series: Sequence[Series], last_round: int, events: Sequence[tuple[int, str]]
) -> tuple[tuple[str, Chart], ...]:
    return tuple(
        (place, line_chart(series, last_round=last_round, width=width, height=height, events=events))
        for place, (width, height) in (("only-wide", WIDE), ("only-phone", NARROW))
    )


def _events(changes: Sequence[Change]) -> list[tuple[int, str]]:
    """One mark a round, however many sites changed."""
    counted: dict[int, int] = {}
    for change in changes:
        counted[change.round] = counted.get(change.round, 0) + 1
    return [
        (number, ngettext("consents changed at %(n)d site", "consents changed at %(n)d sites", n) % {"n": n})
        for number, n in counted.items()
    ]


def _metric_row(one: Round) -> MetricRow:
    found = one.metrics
    return MetricRow(
        number=str(one.number),
        auc=figure(found.get("auc")),
        error_bound=figure(found.get("auc_error_bound"), digits=4),
        accuracy=figure(found.get("accuracy")),
        calibration=figure(found.get("calibration_error")),
        rows=band_in_words(found.get("rows_band")),
    )


def figure(value: object, digits: int = 3) -> str:
    """Return a share with a fixed number of digits, a dash for what is no number."""
    return f"{value:.{digits}f}" if isinstance(value, int | float) else "-"
