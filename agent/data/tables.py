"""Tables of a member, CSV or Parquet, as rows of cells with the place at which a person finds them."""

import csv
import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from training.federated.errors import RowFormatError

MAX_TABLE_BYTES: Final = 1024**3
PARQUET: Final = ".parquet"
_BATCH_ROWS: Final = 16_384
# A text of a CSV; of Parquet also a number or a Boolean, None for null.
Cell: TypeAlias = "str | int | float | bool | None"


@dataclass(frozen=True, slots=True)
class Table:
    """An open table; `rows` yields places (such as `line 7`) and cells in the order of `header`, once."""

    header: tuple[str, ...]
    rows: Iterator[tuple[str, Sequence[Cell]]]


@contextmanager
def open_table(path: Path, columns: Sequence[str] | None = None) -> Iterator[Table]:
    """Open a table, by the ending of its name Parquet or else CSV in UTF-8 with a header.

    Parameters
    ----------
    path : Path
    columns : sequence of str, optional
        The columns that are needed; in Parquet others are not read.

    Raises
    ------
    RowFormatError
        If it cannot be read, is too large, lacks a column or names one twice, or holds what is no plain value.
        Messages name columns and lines, never a value.
    """
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise RowFormatError(f"A table has at most {MAX_TABLE_BYTES} bytes.")
        with (_parquet if path.suffix == PARQUET else _csv)(path, columns) as table:
            missing = [name for name in columns or () if name not in table.header]
            if missing or len(set(table.header)) != len(table.header):
                raise RowFormatError(f"The table lacks columns ({', '.join(missing) or 'none'}) or names one twice.")
            yield table
    except OSError as error:
        raise RowFormatError("The data set's table cannot be read. Look at its name and rights.") from error


@contextmanager
def _csv(path: Path, _columns: Sequence[str] | None) -> Iterator[Table]:
    # Spreadsheets begin a file with a byte order mark.
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        with _readable():
            header = tuple(next(reader, []))
        yield Table(header, _lines(reader, len(header)))


def _lines(reader: Any, width: int) -> Iterator[tuple[str, Sequence[Cell]]]:
    with _readable():
        for cells in reader:
            if not cells:
                continue
            if len(cells) != width:
                raise RowFormatError(f"Line {reader.line_num} has another number of fields than the table's header.")
            yield f"line {reader.line_num}", cells


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (UnicodeDecodeError, csv.Error) as error:
        raise RowFormatError("The data set's table is not a readable CSV in UTF-8.") from error


@contextmanager
def _parquet(path: Path, columns: Sequence[str] | None) -> Iterator[Table]:
    arrow, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(path) as file:
            sizes = (file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
            if sum(sizes) > MAX_TABLE_BYTES:
                raise RowFormatError(f"A table has at most {MAX_TABLE_BYTES} bytes when it is unpacked.")
            fields = [one for one in file.schema_arrow if columns is None or one.name in columns]
            _ensure_plain(arrow.types, fields)
            header = tuple(one.name for one in fields)
            yield Table(header, _batches(file, header))
    except arrow.ArrowException as error:
        raise RowFormatError("The data set's table is not a readable Parquet file.") from error


def _batches(file: Any, header: tuple[str, ...]) -> Iterator[tuple[str, Sequence[Cell]]]:
    number = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(header)):
        columns = [batch.column(name).to_pylist() for name in header]
        for cells in zip(*columns, strict=True):
            number += 1
            yield f"row {number}", cells


def _ensure_plain(types: Any, fields: Sequence[Any]) -> None:
    plain: tuple[Callable[[Any], bool], ...] = (
        *(types.is_integer, types.is_floating, types.is_boolean, types.is_string, types.is_large_string),
        types.is_null,
    )
    for one in fields:
        kind = one.type.value_type if types.is_dictionary(one.type) else one.type
        if not any(holds(kind) for holds in plain):
            raise RowFormatError(f"Column {one.name} of the table is neither number, Boolean nor text.")


def _pyarrow() -> tuple[Any, Any]:
    """Load pyarrow, which is large and not everybody's, when a Parquet table is really read."""
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise RowFormatError(
            "Parquet needs pyarrow, which is not installed here: pip install 'consilium[parquet]', or save the table "
            "as CSV."
        ) from error
