"""The workers' doors: the system's keep the logs and sweep, a tenant's makes the bundle as its own organization."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit import tasks
from audit.bundles.requests import TASK
from audit.models import AuditLeaf, Bundle, Checkpoint
from consortium.celery import app
from consortium.common.tenancy import WrongDatabaseRoleError, act_for
from tests.integration.bundles.conftest import ask_for_bundle


def test_the_system_integrates_and_signs(act, become, world, as_system):
    act(1)
    act(2)
    with become("consilium_system"):
        assert tasks.keep_logs() == 2
        assert tasks.keep_logs() == 0
    with as_system():
        assert AuditLeaf.objects.count() == 2
        assert Checkpoint.objects.get().size == 2


def test_a_tenants_worker_may_neither_keep_logs_nor_sweep(act):
    act(1)
    for task in (tasks.keep_logs, tasks.sweep_bundles):
        with pytest.raises(WrongDatabaseRoleError):
            task()


@pytest.mark.services
def test_a_tenants_worker_makes_the_bundle(world, anchored_log, chain, monkeypatch):
    monkeypatch.setattr("audit.bundles.building.evidence_from_settings", lambda: chain.gateway)
    bundle = ask_for_bundle(world)

    tasks.make_bundle(str(bundle.pk), str(world.hospital.pk))

    with act_for(organization_id=world.hospital.pk):
        assert Bundle.objects.get().state == "ready"


def test_a_worker_that_acts_for_another_organization_finds_no_such_bundle(world):
    bundle = ask_for_bundle(world)

    tasks.make_bundle(str(bundle.pk), str(world.bank.pk))

    with act_for(organization_id=world.hospital.pk):
        assert (Bundle.objects.get().state, Bundle.objects.get().attempts) == ("requested", 0)


def test_the_sweep_sends_what_was_lost(world, become, monkeypatch):
    bundle, sent = ask_for_bundle(world), []
    monkeypatch.setattr(tasks.make_bundle, "delay", lambda *arguments: sent.append(arguments))
    with act_for(organization_id=world.hospital.pk):
        Bundle.objects.update(created_at=timezone.now() - timedelta(seconds=16))

    with become("consilium_system"):
        assert tasks.sweep_bundles() == 1

    assert sent == [(str(bundle.pk), str(world.hospital.pk))]


def test_the_services_name_the_task_that_there_is():
    app.loader.import_default_modules()
    assert TASK in app.tasks
    assert tasks.make_bundle.name == TASK
