"""Invariant 2: no record is ever changed or deleted, by whatever door."""

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError, ProgrammingError

from audit.log.anchors import AnchoredRoot
from audit.log.checkpoints import sign_checkpoint
from audit.log.fsck import fsck
from audit.log.keys import verifier_of
from audit.models import AuditLeaf, AuditLog, AuditRecord, Checkpoint, TreeNode
from consortium.common.tenancy import act_for

TABLES = ["audit_auditlog", "audit_auditrecord", "audit_auditleaf", "audit_treenode", "audit_checkpoint"]
COLUMNS = {"audit_auditlog": "origin = origin", "audit_auditrecord": "digest = ''"}
STATEMENTS = ["UPDATE {0} SET {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"]


@pytest.fixture
def log(filled, as_system) -> AuditLog:
    log = filled(3)
    with as_system():
        sign_checkpoint(log)
    return log


@pytest.fixture
def contents(log, become):
    def read():
        with become("NONE"), connection.cursor() as cursor:
            rows = []
            for table in TABLES:
                cursor.execute(f"SELECT t::text FROM {table} AS t ORDER BY 1")  # noqa: S608  names of ours
                rows.append(cursor.fetchall())
            return rows

    return read


def execute(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize(
    ("role", "error"),
    [
        ("consilium_app", ProgrammingError),
        ("consilium_system", ProgrammingError),
        ("consilium_owner", IntegrityError),
        ("NONE", IntegrityError),
    ],
)
def test_no_role_changes_or_deletes_anything_by_raw_sql(world, contents, become, table, statement, role, error):
    before = contents()
    assert all(before)
    text = statement.format(table, COLUMNS.get(table, "log_id = log_id"))
    with act_for(organization_id=world.hospital.pk), become(role), pytest.raises(error):
        execute("SET CONSTRAINTS ALL IMMEDIATE;" + text)
    assert contents() == before


@pytest.mark.parametrize("model", [AuditLog, AuditRecord, AuditLeaf, TreeNode, Checkpoint])
def test_no_door_of_the_orm_deletes_anything(world, contents, as_system, model):
    before = contents()
    with as_system():
        assert model.objects.exists()
        with pytest.raises((ProgrammingError, IntegrityError)), transaction.atomic():
            model.objects.all()._raw_delete("default")
    assert contents() == before


def test_saving_a_changed_record_is_refused(world, contents, as_system):
    before = contents()
    with as_system():
        row = AuditRecord.objects.all()[0]
        row.action = "model.released"
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            row.save()
    with act_for(organization_id=world.hospital.pk):
        row = AuditRecord.objects.all()[0]
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            AuditRecord.objects.filter(pk=row.pk).update(action="model.released")
    assert contents() == before


def test_the_app_writes_no_leaf_node_or_checkpoint(world, log):
    with act_for(organization_id=world.hospital.pk):
        record = AuditRecord.objects.all()[0]
        for row in (
            AuditLeaf(log=log, index=7, record=record),
            TreeNode(log=log, level=9, index=0, hash=bytes(32)),
            Checkpoint(log=log, size=9, previous_size=3, root=bytes(32), note=""),
        ):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                row.save(force_insert=True)


def test_the_owner_can_put_the_triggers_to_sleep_and_fsck_still_finds_it(log, become, as_system):
    with as_system():
        checkpoint = Checkpoint.objects.get()
        victim = AuditLeaf.objects.get(log=log, index=1).record_id
    anchored = [AnchoredRoot(checkpoint.size, bytes(checkpoint.root), 12)]
    with become("consilium_owner"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_auditrecord DISABLE TRIGGER append_only")
        cursor.execute("ALTER TABLE audit_auditrecord NO FORCE ROW LEVEL SECURITY")
        cursor.execute("UPDATE audit_auditrecord SET canonical = '{}' WHERE id = %s", [victim])
        assert cursor.rowcount == 1
        cursor.execute("ALTER TABLE audit_auditrecord FORCE ROW LEVEL SECURITY")
        cursor.execute("ALTER TABLE audit_auditrecord ENABLE TRIGGER append_only")
    with as_system():
        report = fsck(log, key=verifier_of(log), anchored=anchored)
    assert report.first is not None
    assert (report.first.index, report.first.record) == (1, victim)
