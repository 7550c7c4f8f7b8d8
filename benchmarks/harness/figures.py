"""A figure: what was measured, beside what it is compared to in the same run."""

import math
from collections.abc import Mapping
from typing import Any, Final

KEYS: Final = ("figure", "value", "unit", "compared_to", "compared_value", "ratio", "goal", "met")
_TEXTS: Final = ("figure", "unit", "compared_to")
_NUMBERS: Final = ("value", "compared_value", "ratio", "goal")
# Four significant digits: the rest of a timing is noise.
_DIGITS: Final = 4

FigureDict = dict[str, Any]


class MalformedFigureError(ValueError):
    """A benchmark returned something that is no figure; the message names what is wrong with it."""


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    beside: str,
    compared_value: float,
    at_least: float | None = None,
    at_most: float | None = None,
) -> FigureDict:
    """Return a figure with its ratio; with a goal, `at_least` or `at_most`, also whether it is met."""
    goal = at_least if at_most is None else at_most
    is_met = None if goal is None else (value <= goal if at_least is None else value >= goal)
    ratio = value / compared_value if compared_value else None
    return dict(
        zip(KEYS, (name, _short(value), unit, beside, _short(compared_value), _short(ratio), goal, is_met), strict=True)
    )


def ensure_figures(found: object) -> list[FigureDict]:
    """Return what a benchmark's `run` returned, if it is a list of figures.

    Raises
    ------
    MalformedFigureError
        If it is empty, or a figure has other keys or types, or a number is not finite.
    """
    if not isinstance(found, list) or not found:
        raise MalformedFigureError("A benchmark returns a list of at least one figure.")
    for entry in found:
        _ensure_figure(entry)
    return found


def _ensure_figure(entry: object) -> None:
    if not isinstance(entry, dict) or set(entry) != set(KEYS):
        raise MalformedFigureError(f"A figure has exactly the keys {', '.join(KEYS)}.")
    _ensure_types(entry)


def _ensure_types(entry: Mapping[str, object]) -> None:
    name = entry["figure"]
    if wrong := [key for key in _TEXTS if not isinstance(entry[key], str) or not entry[key]]:
        raise MalformedFigureError(f"Figure {name!r}: {', '.join(wrong)} must be text.")
    if wrong := [key for key in _NUMBERS if not _is_number(entry[key], optional=key != "value")]:
        raise MalformedFigureError(f"Figure {name!r}: {', '.join(wrong)} must be a finite number.")
    if entry["met"] not in (True, False, None) or (entry["goal"] is None) is not (entry["met"] is None):
        raise MalformedFigureError(f"Figure {name!r}: met is true or false beside a goal, and null without one.")


def _is_number(value: object, *, optional: bool) -> bool:
    if value is None:
        return optional
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _short(value: float | None) -> float | None:
    if value is None or value == 0 or not math.isfinite(value):
        return value
    # A whole number (bytes, counts) is exact and stays so.
    return value if float(value).is_integer() else float(f"{value:.{_DIGITS}g}")
