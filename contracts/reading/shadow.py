"""A second set of tables, in one transaction that is never committed: handlers write there, and nowhere else.

In the shadow schema stand the read models as they were before any event, copies of what handlers write beside them,
and of every other table a view that cannot be written and whose rows cannot be locked. The search path holds that
schema alone: a handler that wrote to anything not declared would fail, not change the live system. The transaction
sees one state of the database, and its end takes everything away: rows, notifications, work for Celery.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import connection, transaction

from consortium.kernel.errors import ConflictError
from contracts.reading.read_models import ReadModel, Scratch, read_models, scratch_tables

SCHEMA = "consilium_shadow"
# pg_advisory locks are known by a number: this one is a replay's.
LOCK = 7_305_128
# S608 in this module: names of tables and columns are the models' own, expressions stand in declarations.


class ReplayUnderWayError(ConflictError):
    """One replay at a time: the shadow's tables have one name each."""

    code = "replay_under_way"


@contextmanager
def shadow() -> Iterator[None]:
    """Let what follows read and write the shadow; the live tables are `public.NAME` to it.

    Raises
    ------
    ReplayUnderWayError
        If another replay is under way.
    """
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            _run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        _lock()
        _make()
        _run(f"SET LOCAL search_path = {SCHEMA}")
        try:
            yield
        finally:
            transaction.set_rollback(True)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise ReplayUnderWayError("A replay is under way. Wait for its end.")


def _make() -> None:
    declared: list[ReadModel | Scratch] = [*read_models(), *scratch_tables()]
    made = {one.table: one for one in declared}
    for table, one in made.items():
        _run(f"CREATE TABLE {SCHEMA}.{table} (LIKE public.{table} INCLUDING ALL)")
        _free_defaults(table)
        if isinstance(one, ReadModel):
            _seed(one)
        elif one.copied:
            _run(f"INSERT INTO {SCHEMA}.{table} SELECT * FROM public.{table}")  # noqa: S608
        _run(f"ANALYZE {SCHEMA}.{table}")
    for model in apps.get_models(include_auto_created=True):
        if (table := model._meta.db_table) not in made and model._meta.managed:
            # A union is neither updatable nor lockable.
            live = f"SELECT * FROM public.{table}"  # noqa: S608
            _run(f"CREATE VIEW {SCHEMA}.{table} AS {live} UNION ALL {live} WHERE false")


def _seed(one: ReadModel) -> None:
    values = ", ".join(one.before.get(column, column) for column in one.columns)
    columns = ", ".join(one.columns)
    live = f"SELECT {values} FROM public.{one.table} WHERE {one.seeded}"  # noqa: S608
    _run(f"INSERT INTO {SCHEMA}.{one.table} ({columns}) {live}")


def _free_defaults(table: str) -> None:
    """A copied default would count the live table's sequence on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = %s AND column_default LIKE 'nextval(%%'",
            [SCHEMA, table],
        )
        for (column,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {SCHEMA}.{table} ALTER COLUMN {column} SET DEFAULT 0")


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
