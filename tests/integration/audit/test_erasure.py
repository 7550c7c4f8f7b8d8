"""Invariant 11: deleting salts makes commitments unlinkable, and the log still verifies."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError, ProgrammingError
from django.utils import timezone

from audit.acts import Actor, Subject
from audit.commitments import commitment
from audit.erasure import erase_personal, expire_personal
from audit.log.checkpoints import sign_checkpoint
from audit.log.fsck import fsck
from audit.log.integration import integrate_all
from audit.log.keys import verifier_of
from audit.log.proofs import prove_inclusion
from audit.models import AuditLog, AuditRecord, PersonalField
from audit.recorder import record
from consortium.common.tenancy import act_for

MARIA, JON = uuid.UUID(int=3), uuid.UUID(int=4)


def log_out(world, person: uuid.UUID) -> AuditRecord:
    return record(
        action="identity.logout",
        organization_id=world.hospital.pk,
        consortium_id=None,
        actor=Actor.person(person, world.hospital.pk),
        subject=Subject("person", str(person)),
    )


@pytest.fixture
def log(world, as_system) -> AuditLog:
    with act_for(organization_id=world.hospital.pk):
        records = [log_out(world, person) for person in (MARIA, JON, MARIA)]
    log = records[0].log
    with as_system():
        integrate_all()
        sign_checkpoint(log)
    return log


def test_an_erased_person_is_unlinkable_and_the_log_verifies(world, log, as_system):
    with act_for(organization_id=world.hospital.pk):
        before = {row.pk: bytes(row.canonical) for row in AuditRecord.objects.all()}
        erased = erase_personal(
            organization_id=world.hospital.pk, value=str(MARIA), actor=Actor.person(JON, world.hospital.pk)
        )
        assert erased == 4
        salts = [bytes(field.salt) for field in PersonalField.objects.all()]
        assert {field.value for field in PersonalField.objects.all()} == {str(JON)}
        assert {row.pk: bytes(row.canonical) for row in AuditRecord.objects.filter(pk__in=before)} == before
        marias = {row.actor for row in AuditRecord.objects.filter(pk__in=before)} - openings(salts, JON)
        assert len(marias) == 2
        assert not marias & openings(salts, MARIA)
    with as_system():
        integrate_all()
        sign_checkpoint(log)
        assert fsck(log, key=verifier_of(log)).well
        for row in AuditRecord.objects.filter(log=log).select_related("log"):
            prove_inclusion(row).verify()


def openings(salts: list[bytes], person: uuid.UUID) -> set[str]:
    return {commitment(salt=salt, name="actor", value=str(person)) for salt in salts}


def test_the_erasure_is_recorded_without_the_person(world, log):
    with act_for(organization_id=world.hospital.pk):
        erase_personal(
            organization_id=world.hospital.pk, value=str(MARIA), actor=Actor.person(MARIA, world.hospital.pk)
        )
        row = AuditRecord.objects.get(action="audit.personal.erase")
        assert row.body == {"fields": 4}
        assert str(MARIA).encode() not in bytes(row.canonical)
        assert not PersonalField.objects.filter(record=row).exists()


def test_fields_older_than_the_retention_go(world, log):
    with act_for(organization_id=world.hospital.pk):
        now = timezone.now()
        actor = Actor.system("retention")
        assert expire_personal(organization_id=world.hospital.pk, before=now - timedelta(days=1), actor=actor) == 0
        assert PersonalField.objects.count() == 6
        assert expire_personal(organization_id=world.hospital.pk, before=now, actor=actor) == 6
        assert PersonalField.objects.count() == 0
        assert AuditRecord.objects.filter(action="audit.personal.expire").count() == 2


def test_another_organization_erases_nothing_of_it(world, log):
    with act_for(organization_id=world.bank.pk):
        erase_personal(organization_id=world.bank.pk, value=str(MARIA), actor=Actor.system("retention"))
    with act_for(organization_id=world.hospital.pk):
        assert PersonalField.objects.filter(value=str(MARIA)).count() == 4


def test_a_personal_field_is_never_rewritten(world, log, become):
    with act_for(organization_id=world.hospital.pk):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            PersonalField.objects.update(value=str(JON))
        with (
            become("consilium_owner"),
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("UPDATE audit_personalfield SET value = ''")
        assert PersonalField.objects.filter(value=str(MARIA)).count() == 4
