"""A world with logs: a hospital and a bank share a consortium; helpers to record, integrate and tamper."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from audit.acts import Actor, Subject
from audit.log.integration import integrate
from audit.log.keys import create_key
from audit.models import AuditLog, AuditRecord
from audit.recorder import record
from tests.factories.membership import World, make_world

RUN = Subject("run", str(uuid.UUID(int=5)))


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


@pytest.fixture(autouse=True)
def log_key(settings: Any, tmp_path: Path) -> Path:
    path = tmp_path / "log.key"
    create_key(path)
    settings.LOG_KEY_FILE = str(path)
    return path


@pytest.fixture
def take_lease(world: World) -> Callable[[int], AuditRecord]:
    """Record one act of the system in the shared consortium's log; call as the system or a member."""

    def act(fence: int) -> AuditRecord:
        return record(
            action="training.lease.take",
            organization_id=None,
            consortium_id=world.consortium.pk,
            actor=Actor.system("coordinator"),
            subject=RUN,
            data={"fence": fence},
        )

    return act


@pytest.fixture
def shared_log(world: World, as_system) -> AuditLog:
    with as_system():
        return AuditLog.objects.of(consortium_id=world.consortium.pk)


@pytest.fixture
def filled(shared_log: AuditLog, take_lease, as_system) -> Callable[[int], AuditLog]:
    """Append records to the shared log and integrate them."""

    def fill(count: int) -> AuditLog:
        with as_system():
            for fence in range(count):
                take_lease(fence)
            integrate(shared_log)
        return shared_log

    return fill


@pytest.fixture
def tamper(become) -> Callable[..., int]:
    """Run one statement as a superuser with every trigger and foreign key asleep; return the number of rows."""

    def run(statement: str, *parameters: Any) -> int:
        with superuser(become), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return int(cursor.rowcount)

    return run


@contextmanager
def superuser(become: Any) -> Iterator[None]:
    with become("NONE"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")
