"""Invariant 1 for the log: an organization's log is its own, a consortium's is its members'."""

import uuid

import pytest
from django.db import transaction
from django.db.utils import ProgrammingError

from audit.acts import Actor, Subject
from audit.log.checkpoints import checkpoints_since, sign_checkpoint
from audit.log.integration import integrate_all
from audit.models import (
    Anchor,
    AuditLeaf,
    AuditLog,
    AuditRecord,
    Checkpoint,
    Cosignature,
    PendingRecord,
    PersonalField,
    TreeNode,
)
from audit.recorder import record
from consortium.common.tenancy import act_for

READ_BY_MEMBERS = (AuditLog, AuditRecord, AuditLeaf, TreeNode, Checkpoint, Anchor, Cosignature)


def logged_out(organization) -> AuditRecord:
    return record(
        action="identity.logout",
        organization_id=organization.pk,
        consortium_id=None,
        actor=Actor.person(uuid.UUID(int=3), organization.pk),
        subject=Subject("person", str(uuid.UUID(int=3))),
    )


@pytest.fixture
def private(world, as_system) -> AuditLog:
    """The hospital's own log, checkpointed and witnessed by the shared consortium."""
    with act_for(organization_id=world.hospital.pk):
        log = logged_out(world.hospital).log
    with as_system():
        integrate_all()
        sign_checkpoint(log, witnessed_in=world.consortium.pk)
    return log


@pytest.fixture
def shared(world, filled, as_system) -> AuditLog:
    log = filled(2)
    with as_system():
        checkpoint = sign_checkpoint(log)
        Anchor.objects.create(checkpoint=checkpoint)
        Cosignature.objects.create(
            checkpoint=checkpoint, organization_id=world.bank.pk, signer="0x" + "11" * 20, signature=bytes(65)
        )
    return log


def test_members_read_their_consortiums_log(world, shared):
    for organization in (world.hospital, world.bank):
        with act_for(organization_id=organization.pk):
            assert [model.objects.count() for model in READ_BY_MEMBERS] == [1, 2, 2, 3, 1, 1, 1]


def test_an_outsider_sees_nothing_of_it(world, shared, private):
    with act_for(organization_id=world.outsider.pk):
        assert [model.objects.count() for model in (*READ_BY_MEMBERS, PersonalField)] == [0] * 8


def test_without_an_identity_nothing_is_visible(shared, private):
    assert [model.objects.count() for model in (*READ_BY_MEMBERS, PersonalField)] == [0] * 8


def test_an_organizations_log_is_read_by_it_alone(world, private):
    with act_for(organization_id=world.hospital.pk):
        assert AuditRecord.objects.filter(log=private).count() == 1
        assert PersonalField.objects.count() == 2
    with act_for(organization_id=world.bank.pk):
        assert not AuditLog.objects.filter(pk=private.pk).exists()
        assert AuditRecord.objects.count() == 0
        assert TreeNode.objects.count() == 0
        assert PersonalField.objects.count() == 0


def test_a_witness_follows_a_log_that_it_cannot_read(world, private):
    with act_for(organization_id=world.bank.pk):
        (checkpoint,) = checkpoints_since(private.pk, 0)
        assert checkpoint.origin == private.origin
        assert checkpoint.name_on_chain == private.name_on_chain
    with act_for(organization_id=world.outsider.pk):
        assert checkpoints_since(private.pk, 0) == []


def test_personal_fields_in_a_shared_log_are_read_by_their_own_organization_alone(world):
    with act_for(organization_id=world.hospital.pk):
        record(
            action="governance.ballot.relay",
            organization_id=None,
            consortium_id=world.consortium.pk,
            actor=Actor.person(uuid.UUID(int=3), world.hospital.pk),
            subject=Subject("proposal", "9"),
            data={"organization": str(world.hospital.pk), "choice": "yes"},
        )
        assert [field.name for field in PersonalField.objects.all()] == ["actor"]
    with act_for(organization_id=world.bank.pk):
        assert AuditRecord.objects.count() == 1
        assert PersonalField.objects.count() == 0
        assert PersonalField.objects.all()._raw_delete("default") == 0
    with act_for(organization_id=world.hospital.pk):
        assert PersonalField.objects.count() == 1


def test_nobody_records_in_anothers_name(world, shared):
    with act_for(organization_id=world.hospital.pk):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            record(
                action="governance.ballot.relay",
                organization_id=None,
                consortium_id=world.consortium.pk,
                actor=Actor.person(uuid.UUID(int=3), world.bank.pk),
                subject=Subject("proposal", "9"),
                data={"organization": str(world.bank.pk), "choice": "yes"},
            )
        assert AuditRecord.objects.count() == 2


def test_nobody_opens_a_log_under_anothers_origin_or_owner(world, private):
    with act_for(organization_id=world.bank.pk):
        for log in (
            AuditLog(kind="organization", organization_id=world.outsider.pk, origin="x/logs/1"),
            AuditLog(kind="organization", organization_id=world.bank.pk, origin=f"x/logs/{private.pk}"),
            AuditLog(kind="consortium", consortium_id=world.other_consortium.pk, origin="x/logs/1"),
        ):
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                log.save(force_insert=True)
        assert AuditLog.objects.count() == 0


def test_a_member_cosigns_for_itself_only(world, shared):
    with act_for(organization_id=world.hospital.pk):
        checkpoint = Checkpoint.objects.get()
        row = Cosignature(
            checkpoint=checkpoint, organization_id=world.outsider.pk, signer="0x" + "22" * 20, signature=bytes(65)
        )
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            row.save(force_insert=True)
        assert Cosignature.objects.count() == 1


def test_the_queue_is_the_systems_alone(world, take_lease):
    with act_for(organization_id=world.hospital.pk):
        take_lease(1)
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            PendingRecord.objects.count()
