"""fsck re-derives everything and names what a superuser with every trigger asleep has changed."""

import json
import uuid

import pytest
from django.db import connection

from audit.log.anchors import AnchoredRoot
from audit.log.checkpoints import sign_checkpoint
from audit.log.fsck import fsck
from audit.log.keys import create_key, signer_of, verifier_of
from audit.models import AuditLeaf, AuditRecord, Checkpoint, Cosignature, TreeNode
from consortium.kernel import checkpoints as kernel
from consortium.kernel.canonical import canonical_json
from consortium.kernel.digests import sha256_digest
from consortium.kernel.eip712 import Domain
from consortium.kernel.merkle import MemoryTree
from tests.integration.audit.conftest import superuser

# ruff: noqa: S608  the statements are the test's own
RECORD = "(SELECT record_id FROM audit_auditleaf WHERE index = {})"

# What is done to a log of 7 leaves with checkpoints at 4 and 7, and where it shows first.
TAMPERINGS = {
    "canonical bytes": (f"UPDATE audit_auditrecord SET canonical = '{{}}' WHERE id = {RECORD.format(2)}", 2),
    "a column": (f"UPDATE audit_auditrecord SET subject_id = 'x' WHERE id = {RECORD.format(5)}", 5),
    "the outcome": (
        f"UPDATE audit_auditrecord SET outcome = 'refused', error_code = 'x' WHERE id = {RECORD.format(5)}",
        5,
    ),
    "the time": (
        f"UPDATE audit_auditrecord SET recorded_at = recorded_at - interval '1 s' WHERE id = {RECORD.format(1)}",
        1,
    ),
    "the data": (f"UPDATE audit_auditrecord SET body = '{{\"fence\": 9}}' WHERE id = {RECORD.format(1)}", 1),
    "the digest": (f"UPDATE audit_auditrecord SET digest = '' WHERE id = {RECORD.format(6)}", 6),
    "a deleted record": (f"DELETE FROM audit_auditrecord WHERE id = {RECORD.format(3)}", 3),
    "a deleted leaf": ("DELETE FROM audit_auditleaf WHERE index = 3", 3),
    "the last leaf": ("DELETE FROM audit_auditleaf WHERE index = 6", 6),
    "two leaves exchanged": ("UPDATE audit_auditleaf SET index = 10 + index WHERE index IN (1, 2)", 1),
    "a leaf's node": (r"UPDATE audit_treenode SET hash = sha256('\x') WHERE level = 0 AND index = 4", 4),
    "an inner node": (r"UPDATE audit_treenode SET hash = sha256('\x') WHERE level = 1 AND index = 2", 4),
    "a deleted node": ("DELETE FROM audit_treenode WHERE level = 1 AND index = 1", 2),
    "a short node": (r"UPDATE audit_treenode SET hash = '\x00' WHERE level = 0 AND index = 6", 6),
    "a node too many": (
        r"INSERT INTO audit_treenode (log_id, level, index, hash) "
        r"SELECT log_id, 0, 7, sha256('\x') FROM audit_treenode WHERE level = 2",
        7,
    ),
    "a checkpoint's root": (r"UPDATE audit_checkpoint SET root = sha256('\x') WHERE size = 7", 4),
    "a checkpoint's note": (
        "UPDATE audit_checkpoint SET note = replace(note, E'\\n7\\n', E'\\n8\\n') WHERE size = 7",
        4,
    ),
    "a checkpoint's proof": ("UPDATE audit_checkpoint SET consistency = '[]' WHERE size = 7", 4),
    "a deleted checkpoint": ("DELETE FROM audit_checkpoint WHERE size = 4", 0),
    "a personal field": (
        "INSERT INTO audit_personalfield (id, created_at, name, salt, value, record_id) "
        "SELECT gen_random_uuid(), now(), 'actor', '', 'x', record_id FROM audit_auditleaf WHERE index = 2",
        2,
    ),
}


@pytest.fixture
def log(filled, as_system):
    for count in (4, 3):
        log = filled(count)
        with as_system():
            sign_checkpoint(log)
    return log


def report_of(log, as_system, **arguments):
    with as_system():
        return fsck(log, key=verifier_of(log), **arguments)


def test_a_sound_log_is_well(log, as_system):
    report = report_of(log, as_system)
    assert report.well
    assert report.first is None
    assert (report.leaves, report.checkpoints) == (7, 2)


def test_an_empty_log_is_well(shared_log, as_system):
    assert report_of(shared_log, as_system).well


def test_batches_make_no_difference(log, as_system, monkeypatch):
    for batch in (1, 2, 3, 5):
        monkeypatch.setattr("audit.log.fsck.BATCH", batch)
        assert report_of(log, as_system).well


@pytest.mark.parametrize("batch", [3, 2000])
@pytest.mark.parametrize("name", TAMPERINGS)
def test_every_tampering_is_found_where_it_shows_first(log, as_system, tamper, monkeypatch, name, batch):
    monkeypatch.setattr("audit.log.fsck.BATCH", batch)
    statement, index = TAMPERINGS[name]
    assert tamper(statement) >= 1
    report = report_of(log, as_system)
    assert not report.well
    assert report.first.index == index, report.findings


def test_an_altered_record_is_named(log, as_system, tamper):
    with as_system():
        victim = AuditLeaf.objects.get(index=2).record_id
    tamper(TAMPERINGS["canonical bytes"][0])
    report = report_of(log, as_system)
    assert {finding.record for finding in report.findings} == {victim}
    assert any(str(victim) in finding.text for finding in report.findings)


def test_a_record_that_was_slipped_past_the_tree_is_found(log, as_system, take_lease, tamper):
    with as_system():
        row = take_lease(9)
    tamper("DELETE FROM audit_pendingrecord")
    (finding,) = report_of(log, as_system).findings
    assert (finding.code, finding.record) == ("record_astray", row.pk)


def test_a_record_that_waits_is_no_finding(log, as_system, take_lease):
    with as_system():
        take_lease(9)
    assert report_of(log, as_system).well


def test_a_note_by_another_key_is_found(log, as_system, log_key):
    with as_system():
        key = verifier_of(log)
    log_key.unlink()
    create_key(log_key)
    assert {finding.code for finding in report_of(log, as_system).findings} == {"note_false"}
    with as_system():
        assert fsck(log, key=key).well


def test_a_false_cosignature_is_found_where_the_contract_is_known(log, world, as_system):
    with as_system():
        Cosignature.objects.create(
            checkpoint=Checkpoint.objects.get(size=7),
            organization_id=world.bank.pk,
            signer="0x" + "11" * 20,
            signature=bytes(65),
        )
    assert report_of(log, as_system).well
    domains = {world.consortium.pk: Domain("AuditAnchor", 1, "0x" + "55" * 20)}
    (finding,) = report_of(log, as_system, domains=domains).findings
    assert (finding.code, finding.index) == ("cosignature_false", 4)


def rewrite(log, become, index: int) -> None:
    """Replace a record and everything derived from it, as somebody with every key of the platform could."""
    records = [leaf.record for leaf in AuditLeaf.objects.filter(log=log).select_related("record").order_by("index")]
    content = json.loads(bytes(records[index].canonical)) | {"data": {"fence": 999}}
    canonical = canonical_json(content)
    leaves = [bytes(row.canonical) for row in records]
    leaves[index] = canonical
    tree = MemoryTree(leaves)
    signer = signer_of(log)
    with superuser(become), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audit_auditrecord SET canonical = %s, digest = %s, body = %s WHERE id = %s",
            [canonical, sha256_digest(canonical), json.dumps(content["data"]), records[index].pk],
        )
        for node in TreeNode.objects.filter(log=log):
            cursor.execute(
                "UPDATE audit_treenode SET hash = %s WHERE level = %s AND index = %s",
                [tree.get(node.level, node.index), node.level, node.index],
            )
        for row in Checkpoint.objects.filter(log=log):
            note = kernel.sign_checkpoint(kernel.Checkpoint(log.origin, row.size, tree.root(row.size)), [signer])
            proof = tree.consistency_proof(row.previous_size, row.size) if row.previous_size else []
            cursor.execute(
                "UPDATE audit_checkpoint SET root = %s, note = %s, consistency = %s WHERE id = %s",
                [tree.root(row.size), note, json.dumps([value.hex() for value in proof]), row.pk],
            )


def anchors_of(log, as_system) -> list[AnchoredRoot]:
    with as_system():
        return [AnchoredRoot(row.size, bytes(row.root), 10 + row.size) for row in Checkpoint.objects.order_by("size")]


def test_a_log_rewritten_with_every_key_contradicts_the_chain(log, as_system, become):
    anchored = anchors_of(log, as_system)
    assert report_of(log, as_system, anchored=anchored).well
    with as_system():
        rewrite(log, become, 5)
    assert report_of(log, as_system).well, "without the chain nobody can tell"
    report = report_of(log, as_system, anchored=anchored)
    (finding,) = report.findings
    assert (finding.code, finding.index) == ("anchor_contradicted", 4)
    assert "block 17" in finding.text


def test_a_log_whose_end_is_gone_with_its_checkpoints_contradicts_the_chain(log, as_system, tamper):
    anchored = anchors_of(log, as_system)
    tamper("DELETE FROM audit_checkpoint WHERE size = 7")
    tamper("DELETE FROM audit_auditrecord WHERE id IN (SELECT record_id FROM audit_auditleaf WHERE index >= 4)")
    tamper("DELETE FROM audit_auditleaf WHERE index >= 4")
    tamper("DELETE FROM audit_treenode WHERE (index + 1) << level > 4")
    assert report_of(log, as_system).well
    (finding,) = report_of(log, as_system, anchored=anchored).findings
    assert (finding.code, finding.index) == ("anchor_contradicted", 4)
    assert "cut off" in finding.text


def test_a_record_of_another_log_is_found(world, log, as_system, tamper):
    with as_system():
        victim = AuditRecord.objects.all()[0].pk
    other = uuid.uuid4()
    tamper(
        "INSERT INTO audit_auditlog (id, kind, consortium_id, origin, created_at) "
        "VALUES (%s, 'consortium', %s, 'x', now())",
        other,
        world.other_consortium.pk,
    )
    tamper("UPDATE audit_auditrecord SET log_id = %s WHERE id = %s", other, victim)
    report = report_of(log, as_system)
    assert report.first.record == victim
    assert "another log" in report.first.text
