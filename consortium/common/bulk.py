"""Many rows written by one statement that is the same for any number of them.

Django's `bulk_create` and `bulk_update` write a placeholder, or a CASE, for each value of each row: making that text
takes longer than the writing. Here the rows are one JSON value. Fields are what JSON has, dates, times, UUIDs and
bytes.
"""

import json
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import orjson
from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import RawCursor


def insert_many(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model whose keys are made here; they count as saved then."""
    if not rows:
        return
    meta = type(rows[0])._meta
    fields: list[Any] = list(meta.concrete_fields)
    columns = ", ".join(field.column for field in fields)
    timed = [field for field in fields if type(field).pre_save is not models.Field.pre_save]
    for row in rows:
        for field in timed:
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


def execute_bound(statement: str, values: Sequence[Any]) -> None:
    """Run a statement whose values ($1, $2, ...) travel beside it.

    Django's cursors write values into the text: PostgreSQL then reads megabytes of JSON as SQL before it reads them
    as JSON.
    """
    wrapper: BaseDatabaseWrapper = connection
    wrapper.ensure_connection()
    wrapper.validate_no_broken_transaction()
    with wrapper.wrap_database_errors, RawCursor(wrapper.connection) as cursor:
        cursor.execute(statement, values, prepare=False)


def json_text(value: Any) -> str:
    """JSON of plain values, dates, times, UUIDs and bytes (as hexadecimal digits)."""
    try:
        return orjson.dumps(value, default=_written).decode()
    except TypeError:
        # An integer above 64 bits, as a contract's may be.
        return json.dumps(value, default=_written)


def _given(fields: Sequence[Any]) -> str:
    types = ", ".join(f"{field.column} {_type(field)}" for field in fields)
    return f"json_to_recordset($1) AS given({types})"


def _type(field: Any) -> str:
    return "text" if isinstance(field, models.BinaryField) else str(field.rel_db_type(connection))


def _value(field: Any) -> str:
    return f"decode(given.{field.column}, 'hex')" if isinstance(field, models.BinaryField) else f"given.{field.column}"


def _written(value: Any) -> str:
    """What JSON has no form of."""
    return bytes(value).hex() if isinstance(value, (bytes, bytearray, memoryview)) else str(value)


def _run(statement: str, rows: Sequence[models.Model], fields: Sequence[Any]) -> None:
    columns = [field.column for field in fields]
    values = attrgetter(*(field.attname for field in fields))
    given = [dict(zip(columns, values(row), strict=True)) for row in rows]
    execute_bound(statement, [json_text(given)])
