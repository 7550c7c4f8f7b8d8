"""A consortium's log with a few records under a signed checkpoint, an organization's own, and their readers."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from audit.acts import Actor, Subject
from audit.log.checkpoints import sign_checkpoint
from audit.log.integration import integrate
from audit.log.keys import create_key
from audit.models import AuditLog, AuditRecord
from audit.models.records import Outcome
from audit.recorder import record
from consortium.common.correlation import following
from tests.factories.membership import World, make_world

RUN = str(uuid.UUID(int=5))
ACT = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(autouse=True)
def log_key(settings: Any, tmp_path: Path) -> Path:
    path = tmp_path / "log.key"
    create_key(path)
    settings.LOG_KEY_FILE = str(path)
    return path


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


@pytest.fixture
def hospital(login) -> Client:
    return login("hospital")


@pytest.fixture
def records(world: World, as_system) -> list[AuditRecord]:
    """Three leases, a site's refusal and a refused draft, all of one act; the last one has no leaf."""
    site, coordinator = str(world.bank.pk), Actor.system("coordinator")
    shared: dict[str, Any] = {"organization_id": None, "consortium_id": world.consortium.pk}
    run = Subject("run", RUN)
    with as_system(), following(ACT):
        made = [
            record(action="training.lease.take", actor=coordinator, subject=run, data={"fence": n}, **shared)
            for n in range(3)
        ]
        refusal = {"organization": site, "reason": "head_too_old"}
        made.append(record(action="training.site.refuse", actor=coordinator, subject=run, data=refusal, **shared))
        log = AuditLog.objects.get(consortium_id=world.consortium.pk)
        integrate(log)
        sign_checkpoint(log)
        refused: dict[str, Any] = {"outcome": Outcome.REFUSED, "error_code": "plan_invalid"}
        draft = Subject("plan", "draft")
        made.append(record(action="training.plan.draft", actor=coordinator, subject=draft, **refused, **shared))
        return made
