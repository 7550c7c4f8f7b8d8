"""Figures as a table for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.harness.figures import FigureDict

_TITLES = ("figure", "value", "unit", "compared to", "compared value", "ratio", "goal", "met")
_NUMBERS = frozenset({"value", "compared value", "ratio", "goal"})


def table(figures: Sequence[FigureDict]) -> str:
    """Return one line a figure under a line of titles, numbers to the right."""
    rows = [_TITLES, *(_cells(entry) for entry in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    return "\n".join(_line(row, widths) for row in rows)


def place(document: Mapping[str, Any]) -> str:
    """Return where the figures were measured, in a line; the load says how far to trust a timing."""
    machine, commit = document["machine"], (document["commit"] or "unknown")[:12]
    modified = " and changes" if document["is_modified"] else ""
    memory = f"{machine['memory_bytes'] / 2**30:.0f} GiB"
    load = f"load {machine['load_average']} at the start"
    return (
        f"commit {commit}{modified}; {machine['cores']} cores of {machine['processor']}, {memory}, "
        f"Python {machine['python']}, {load}; {document['wall_seconds']} s"
    )


def _cells(entry: FigureDict) -> tuple[str, ...]:
    numbers = (_number(entry["compared_value"]), _number(entry["ratio"]), _number(entry["goal"]))
    met = {True: "yes", False: "NO", None: ""}[entry["met"]]
    return (entry["figure"], _number(entry["value"]), entry["unit"], entry["compared_to"], *numbers, met)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        cell.rjust(width) if title in _NUMBERS else cell.ljust(width)
        for cell, width, title in zip(row, widths, _TITLES, strict=True)
    )
    return "  ".join(cells).rstrip()
