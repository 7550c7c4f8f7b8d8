"""From a table's cells to values: numbers, bits, categories, or missing. A message never repeats a cell."""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from agent.data.tables import Cell

# Raises ValueError with the rule that was broken.
Reader: TypeAlias = "Callable[[Cell], object]"


def is_missing(cell: Cell, missing_values: Collection[str]) -> bool:
    """Say whether a cell holds no value: null, NaN, or a text that the description lists."""
    return cell is None or cell != cell or (isinstance(cell, str) and cell in missing_values)


def number(cell: Cell) -> float:
    """Return a finite number."""
    try:
        value = math.nan if isinstance(cell, bool) or cell is None else float(cell)
    except (ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("is no number")
    return value


def bit(cell: Cell) -> int:
    """Return 0 or 1, also for a Boolean of Parquet."""
    if cell in ("0", "1"):
        return int(str(cell))
    if not isinstance(cell, str) and cell in (0, 1):
        return int(cell or 0)
    raise ValueError("is neither 0 nor 1")


def category(categories: Collection[str | int]) -> Reader:
    """Return a reader of one of these categories, each known by its text."""
    known = {str(one): one for one in categories}

    def read(cell: Cell) -> object:
        text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
        if text not in known:
            raise ValueError("is none of the categories")
        return known[text]

    return read


def column_reader(column: Mapping[str, Any]) -> Reader:
    """Return the reader of a described column, its bounds among its rules unless values beyond them are moved."""
    if column["kind"] == "categorical":
        return category(column["categories"])
    if column["kind"] == "binary":
        return bit
    if "minimum" not in column or "outside" in column:
        return number
    return between(float(column["minimum"]), float(column["maximum"]))


def between(minimum: float, maximum: float) -> Reader:
    """Return a reader of numbers within bounds; its refusal names the bound."""

    def read(cell: Cell) -> float:
        value = number(cell)
        if value < minimum:
            raise ValueError(f"is below the minimum of {minimum:g}")
        if value > maximum:
            raise ValueError(f"is above the maximum of {maximum:g}")
        return value

    return read
