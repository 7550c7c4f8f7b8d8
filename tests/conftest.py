"""The test database is made by the owner; tests run as `consilium_app` behind row level security."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    from django.core.management import call_command
    from django.db import connection

    from consortium.embedded.postgres import DATABASE

    settings = connection.settings_dict
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    name = f"test_{DATABASE}_{worker}"
    with django_db_blocker.unblock():
        _create(name)
        settings["NAME"] = name
        settings["TEST"]["NAME"] = name
        with _connected_as("consilium_owner"):
            call_command("migrate", verbosity=0, interactive=False)
        _let_flush_pass_the_walls()
    yield
    with django_db_blocker.unblock():
        connection.close()


def _create(name: str) -> None:
    import psycopg
    from psycopg import sql

    from consortium.embedded.postgres import DATABASE, ensure_database

    url = os.environ["DATABASE_URL"].replace(f"/{DATABASE}?", "/postgres?")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        ensure_database(admin, name)


@contextmanager
def _connected_as(role: str) -> Iterator[None]:
    from django.db import connection

    connection.close()
    before = connection.settings_dict["OPTIONS"]["options"]
    connection.settings_dict["OPTIONS"]["options"] = f"-c role={role}"
    yield
    connection.close()
    connection.settings_dict["OPTIONS"]["options"] = before


def _let_flush_pass_the_walls() -> None:
    """Between transactional tests tables are emptied: by the superuser, with append-only triggers asleep."""
    from django.db import connection

    plain = connection.ops.execute_sql_flush

    def flush(statements: list[str]) -> None:
        plain(
            [
                "SET ROLE NONE",
                "SET session_replication_role = replica",
                *statements,
                "SET session_replication_role = DEFAULT",
                "SET ROLE consilium_app",
            ]
        )

    setattr(connection.ops, "execute_sql_flush", flush)  # noqa: B010  a plain assignment offends the type checker


@pytest.fixture(autouse=True)
def _umask_kept() -> Iterator[None]:
    """The agent's commands narrow the process' umask; run inside a test, they must not reach the next one."""
    before = os.umask(0o022)
    yield
    os.umask(before)


Become = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def become(db: None) -> Become:
    """`with become("consilium_system"): ...` runs a block under another database role."""
    from django.db import connection

    @contextmanager
    def change(role: str) -> Iterator[None]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            before = cursor.fetchone()[0]
            cursor.execute(f"SET ROLE {role}")
        try:
            yield
        finally:
            if not connection.needs_rollback:
                with connection.cursor() as cursor:
                    cursor.execute(f"SET ROLE {before}")

    return change


@pytest.fixture
def as_system(become: Become) -> Callable[[], AbstractContextManager[None]]:
    """`with as_system(): ...` runs a block as dispatcher, projector and coordinator do."""
    from consortium.common.tenancy import act_for_all

    @contextmanager
    def enter() -> Iterator[None]:
        with become("consilium_system"), act_for_all():
            yield

    return enter
