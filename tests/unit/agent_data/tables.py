"""A small table as a member keeps it, and its description."""

import csv
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

TOML = """
name = "stays"
rows = "TABLE"
purposes = ["DUO:0000006"]
subject = "patient"
target = "died"
missing_values = ["", "NA"]

[[columns]]
name = "age"
kind = "numeric"
minimum = 0
maximum = 120
unit = "a"
missing = "mean"

[[columns]]
name = "ward"
kind = "categorical"
categories = ["north", "south"]
missing = "category"

[[columns]]
name = "sex"
kind = "binary"

[[columns]]
name = "died"
kind = "binary"
"""
ROWS: list[dict[str, Any]] = [
    {"patient": "p1", "age": 50, "ward": "north", "sex": 0, "died": 1},
    {"patient": "p2", "age": None, "ward": "south", "sex": 1, "died": 0},
    {"patient": "p3", "age": 71.5, "ward": None, "sex": 1, "died": None},
    {"patient": "p1", "age": 51, "ward": "south", "sex": 0, "died": 0},
]


def write_csv(path: Path, rows: list[dict[str, Any]], *, missing: str = "") -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: missing if value is None else value for name, value in row.items()} for row in rows)
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def write_data_set(folder: Path, rows: list[dict[str, Any]], *, ending: str = "csv", text: str = TOML) -> Path:
    """Write table and description, and return the description's path."""
    write = write_parquet if ending == "parquet" else write_csv
    write(folder / f"stays.{ending}", rows)
    path = folder / "stays.toml"
    path.write_text(text.replace("TABLE", f"stays.{ending}"))
    return path
