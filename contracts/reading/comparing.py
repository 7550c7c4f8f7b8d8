"""How the live read models differ from what the chain's events make of the same requests: row by row, in SQL."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from contracts.reading.read_models import ReadModel
from contracts.reading.shadow import SCHEMA

# Of one table: who sees so many has seen enough, and a report stays readable.
MAX_DIFFERENCES = 100


@dataclass(frozen=True)
class Difference:
    """One row that is not what the chain says; `columns` holds (here, by the chain) where the row is in both."""

    table: str
    row: Mapping[str, Any]
    kind: str
    columns: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        name = f"{self.table} {', '.join(f'{column}={value}' for column, value in self.row.items())}"
        if self.columns:
            told = (
                f"{column} is {here!r} here, {there!r} by the chain" for column, (here, there) in self.columns.items()
            )
            return f"{name}: {'; '.join(told)}"
        return f"{name}: {'missing here' if self.kind == 'missing' else 'not by the chain'}"


def differences(one: ReadModel) -> list[Difference]:
    """Compare a read model with its shadow; at most `MAX_DIFFERENCES`, in the order of the rows' names."""
    return list(_paired(one, _only_in(one, "public", SCHEMA), _only_in(one, SCHEMA, "public")))[:MAX_DIFFERENCES]


def _paired(
    one: ReadModel, here: dict[tuple[Any, ...], Any], there: dict[tuple[Any, ...], Any]
) -> Iterator[Difference]:
    for key in sorted({*here, *there}, key=str):
        row = dict(zip(one.identity, key, strict=True))
        if key not in there:
            yield Difference(one.table, row, "surplus")
        elif key not in here:
            yield Difference(one.table, row, "missing")
        else:
            both = zip(one.derived, here[key], there[key], strict=True)
            yield Difference(one.table, row, "changed", {name: (a, b) for name, a, b in both if a != b})


def _only_in(one: ReadModel, schema: str, other: str) -> dict[tuple[Any, ...], Any]:
    """Rows of one schema that the other does not have in this form, by identity."""
    compared = ", ".join([*one.identity, *(one.compared_as.get(column, column) for column in one.derived)])
    width = len(one.identity)
    places = ", ".join(str(place) for place in range(1, width + 1))
    # S608: names of tables and columns are the models' own, expressions stand in declarations.
    rows, others = (f"SELECT {compared} FROM {where}.{one.table}" for where in (schema, other))  # noqa: S608
    with connection.cursor() as cursor:
        # More than are shown: a row is told as changed where both sides have it, in the same order.
        cursor.execute(f"{rows} EXCEPT {others} ORDER BY {places} LIMIT %s", [10 * MAX_DIFFERENCES])
        return {row[:width]: row[width:] for row in cursor.fetchall()}
