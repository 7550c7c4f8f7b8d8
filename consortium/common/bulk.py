"""Many rows written by one statement that is the same for any number of them.

Django's `bulk_create` and `bulk_update` write a placeholder, or a CASE, for each value of each row: making that text
takes longer than the writing. Here the rows are one JSON value. Fields are what JSON has, dates, times, UUIDs and
bytes.
"""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def insert_many(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model whose keys are made here; they count as saved then."""
    if not rows:
        return
    meta = type(rows[0])._meta
    fields: list[Any] = list(meta.concrete_fields)
    columns = ", ".join(field.column for field in fields)
    for row in rows:
        for field in fields:
            field.pre_save(row, add=True)
    # S608 here and below: names of tables and columns are the model's own.
    values = ", ".join(map(_value, fields))
    _run(f"INSERT INTO {meta.db_table} ({columns}) SELECT {values} FROM {_given(fields)}", rows, fields)  # noqa: S608
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def update_many(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Write these fields of rows of one model, as they are in memory, whatever the database has; nothing else."""
    if not rows:
        return
    meta = type(rows[0])._meta
    key: Any = meta.pk
    fields: list[Any] = [meta.get_field(name) for name in names]
    changes = ", ".join(f"{field.column} = {_value(field)}" for field in fields)
    named = [key, *fields]
    where = f"{meta.db_table}.{key.column} = given.{key.column}"
    _run(f"UPDATE {meta.db_table} SET {changes} FROM {_given(named)} WHERE {where}", rows, named)  # noqa: S608


def _given(fields: Sequence[Any]) -> str:
    types = ", ".join(f"{field.column} {_type(field)}" for field in fields)
    return f"jsonb_to_recordset(%s::jsonb) AS given({types})"


def _type(field: Any) -> str:
    return "text" if isinstance(field, models.BinaryField) else str(field.rel_db_type(connection))


def _value(field: Any) -> str:
    return f"decode(given.{field.column}, 'hex')" if isinstance(field, models.BinaryField) else f"given.{field.column}"


def _written(value: Any) -> str:
    """What JSON has no form of."""
    return bytes(value).hex() if isinstance(value, (bytes, bytearray, memoryview)) else str(value)


def _run(statement: str, rows: Sequence[models.Model], fields: Sequence[Any]) -> None:
    names = [(field.column, field.attname) for field in fields]
    given = [{column: getattr(row, name) for column, name in names} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(given, default=_written)])
