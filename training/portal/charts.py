"""Line charts as coordinates: the server draws them, so that they need no script and no inline style."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_LEFT, _TOP, _BELOW, _LABELS = 36.0, 12.0, 26.0, 112.0
_LABEL_GAP = 16.0
_MAX_TICKS = 10


@dataclass(frozen=True, slots=True)
class Mark:
    """A text or a point at a place; places are texts, since a template would write numbers in its own language."""

    x: str
    y: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One series: the points of its polyline, its last point, and where its label stands."""

    kind: str
    points: str
    end: Mark
    label: Mark


@dataclass(frozen=True, slots=True)
class Series:
    """Values by round; `kind` is the class of the line's look."""

    label: str
    kind: str
    values: Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Chart:
    """All that the template writes down."""

    width: int
    height: int
    left: str
    right: str
    base: str
    grid: tuple[Mark, ...]
    ticks: tuple[Mark, ...]
    lines: tuple[Line, ...]
    events: tuple[Mark, ...] = ()


def line_chart(
    series: Sequence[Series], *, last_round: int, width: int, height: int, events: Sequence[tuple[int, str]] = ()
) -> Chart:
    """Lay out series of shares (0 to 1) over rounds 1 to `last_round`; every series has a value.

    `events` are rounds to mark by an upright line, each with what its mark says.
    """
    right, base = width - _LABELS, height - _BELOW
    values = [value for one in series for _, value in one.values]
    low, high, step = _scale(min(values), max(values))

    def x(number: int) -> float:
        return _LEFT + (right - _LEFT) * (number - 1) / max(1, last_round - 1)

    def y(value: float) -> float:
        return base - (base - _TOP) * (value - low) / (high - low)

    edges = [low + step * i for i in range(round((high - low) / step) + 1)]
    lines = [_line(one, [(x(number), y(value)) for number, value in one.values]) for one in series]
    return Chart(
        width=width,
        height=height,
        left=_text(_LEFT),
        right=_text(right),
        base=_text(base),
        grid=tuple(Mark(_text(_LEFT - 8), _text(y(edge)), f"{edge:.2f}") for edge in edges),
        ticks=tuple(Mark(_text(x(n)), _text(base + 17), str(n)) for n in _ticks(last_round)),
        lines=tuple(_apart(lines)),
        events=tuple(Mark(_text(x(number)), _text(_TOP), text) for number, text in events),
    )


def _scale(lowest: float, highest: float) -> tuple[float, float, float]:
    """Return a floor, a ceiling and a step of 0.05, 0.1 or 0.2 that keep to about five lines."""
    step = next((s for s in (0.05, 0.1) if highest - lowest <= 4 * s + 1e-9), 0.2)
    low = math.floor(lowest / step + 1e-9) * step
    high = math.ceil(highest / step - 1e-9) * step
    return low, max(high, low + step), step


def _ticks(last_round: int) -> list[int]:
    stride = math.ceil(last_round / _MAX_TICKS)
    return list(range(1, last_round + 1, stride))


def _line(series: Series, points: list[tuple[float, float]]) -> Line:
    end_x, end_y = points[-1]
    text = f"{series.label} {series.values[-1][1]:.3f}"
    return Line(
        kind=series.kind,
        points=" ".join(f"{_text(x)},{_text(y)}" for x, y in points),
        end=Mark(_text(end_x), _text(end_y)),
        label=Mark(_text(end_x + 10), _text(end_y + 4), text),
    )


def _apart(lines: list[Line]) -> list[Line]:
    """Push labels that would overlap to `_LABEL_GAP` below one another, the highest first."""
    placed: list[Line] = []
    for line in sorted(lines, key=lambda line: float(line.label.y)):
        floor = float(placed[-1].label.y) + _LABEL_GAP if placed else 0.0
        y = max(float(line.label.y), floor)
        label = Mark(line.label.x, _text(y), line.label.text)
        placed.append(Line(line.kind, line.points, line.end, label))
    return placed


def _text(value: float) -> str:
    return f"{value:.1f}"
