"""Where a model comes from, as a picture: consent epochs, cohorts, rounds, weights, card, vote; each box a link."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from training.portal.hues import Site

_ROW, _BOX, _TOP = 58, 44, 44
# Left edges and widths of the columns, in pixels of a picture 1080 wide.
_COLUMNS = ((0.5, 168.0), (212.0, 120.0), (424.0, 124.0), (596.0, 128.0), (772.0, 124.0), (944.0, 135.5))
_GAP = 14.0
# Base lines of a box's two lines of text by its height.
_LINES = {44.0: (20, 36), 68.0: (25, 49)}
_MOST_TICKS = 10


@dataclass(frozen=True, slots=True)
class Source:
    """One site's part: the first and the last epoch and entry that its rounds read, its band, rounds it joined."""

    site: Site
    epochs: str
    cohort: str
    joined: int
    url: str


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the picture: its place and the two lines in it; `code` says that the second is a digest.

    `text` is where the lines begin: their x, and the y of each.
    """

    x: str
    y: str
    width: str
    height: str
    head: str
    note: str
    url: str
    text: tuple[str, str, str]
    hue: int = 0
    code: bool = False
    good: bool = False

    @property
    def swatch(self) -> tuple[str, str]:
        """Where the member's colour stands: left of the first line."""
        return _text(float(self.x) + 12), _text(float(self.y) + 11)


@dataclass(frozen=True, slots=True)
class Tick:
    """One round in the rounds' box."""

    x: str
    y: str
    again: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """All that the template writes down."""

    height: int
    headings: tuple[tuple[str, str], ...]
    streams: tuple[tuple[int, str], ...]
    arrows: tuple[str, ...]
    boxes: tuple[Box, ...]
    ticks: tuple[Tick, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Late:
    """One of the boxes after the rounds; an empty url is a step that is not taken yet."""

    head: str
    note: str
    url: str
    code: bool = False
    good: bool = False


def picture_of(
    sources: Sequence[Source], rounds: Sequence[int], attempts: int, run: Late, later: Sequence[Late]
) -> Picture:
    """Lay out the lineage; `rounds` are the attempts that each round took, `later` weights, card and vote."""
    height = _TOP + max(3, len(sources)) * _ROW
    middle = (_TOP + height - _GAP) / 2
    rows = [_TOP + i * _ROW for i in range(len(sources))]
    spread = [middle + (i - (len(sources) - 1) / 2) * _GAP for i in range(len(sources))]
    return Picture(
        height=height,
        headings=_headings(),
        streams=tuple(_streams(sources, rows, spread)),
        arrows=tuple(_arrow(left, middle) for left in (2, 3, 4)),
        boxes=(*_sources(sources, rows), _rounds(run, middle), *_later(later, middle)),
        ticks=tuple(_ticks(rounds, middle)),
    )


def _headings() -> tuple[tuple[str, str], ...]:
    words = (_("Consent epochs"), _("Cohorts, banded"), _("Rounds"), _("Weights"), _("Model card"), _("Release vote"))
    return tuple((_text(left), word) for (left, _width), word in zip(_COLUMNS, words, strict=True))


def _sources(sources: Sequence[Source], rows: Sequence[float]) -> list[Box]:
    boxes = []
    for source, y in zip(sources, rows, strict=True):
        boxes.append(_box(0, y, source.site.name, source.epochs, source.url, hue=source.site.hue))
        boxes.append(_box(1, y, source.cohort, _("cohort"), source.url))
    return boxes


def _streams(sources: Sequence[Source], rows: Sequence[float], spread: Sequence[float]) -> list[tuple[int, str]]:
    """A line from each epoch to its cohort, and a curve from there into the rounds."""
    first = _COLUMNS[0][0] + _COLUMNS[0][1]
    second, end, target = _COLUMNS[1][0], _COLUMNS[1][0] + _COLUMNS[1][1], _COLUMNS[2][0]
    paths = []
    for source, y, into in zip(sources, rows, spread, strict=True):
        centre = y + _BOX / 2
        paths.append((source.site.hue, f"M{_text(first)} {_text(centre)}H{_text(second)}"))
        curve = f"C{_text(end + 50)} {_text(centre)} {_text(target - 50)} {_text(into)} {_text(target)} {_text(into)}"
        paths.append((source.site.hue, f"M{_text(end)} {_text(centre)}{curve}"))
    return paths


def _arrow(left: int, y: float) -> str:
    start, tip = _COLUMNS[left][0] + _COLUMNS[left][1], _COLUMNS[left + 1][0] - 7
    return f"M{_text(start)} {_text(y)}H{_text(tip)}M{_text(tip - 5)} {_text(y - 4.5)}l5 4.5-5 4.5"


def _rounds(run: Late, middle: float) -> Box:
    return _box(2, middle - 56, run.head, run.note, run.url, height=112)


def _later(later: Sequence[Late], middle: float) -> list[Box]:
    return [
        _box(i + 3, middle - 34, one.head, one.note, one.url, height=68, code=one.code, good=one.good)
        for i, one in enumerate(later)
    ]


def _ticks(rounds: Sequence[int], middle: float) -> list[Tick]:
    """At most ten rounds have their tick: the last ones."""
    left = _COLUMNS[2][0] + 12
    return [Tick(_text(left + i * 10), _text(middle + 6), n > 1) for i, n in enumerate(rounds[-_MOST_TICKS:])]


def _box(
    column: int,
    y: float,
    head: str,
    note: str,
    url: str,
    *,
    height: float = _BOX,
    hue: int = 0,
    code: bool = False,
    good: bool = False,
) -> Box:
    left, width = _COLUMNS[column]
    first, second = _LINES.get(height, (22, 39))
    text = (_text(left + (30 if hue else 12)), _text(y + first), _text(y + second))
    return Box(_text(left), _text(y), _text(width), _text(height), head, note, url, text, hue, code, good)


def _text(value: float) -> str:
    return f"{value:.1f}"
