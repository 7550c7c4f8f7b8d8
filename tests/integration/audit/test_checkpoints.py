"""Checkpoints only grow, follow from one another, and are signed with a key that nobody else can read."""

import pytest
from django.db import transaction

from audit.log.checkpoints import checkpoints_since, latest_checkpoint, sign_checkpoint
from audit.log.errors import EmptyLogError, LogDamagedError, LogKeyError
from audit.log.keys import create_key, read_key, verifier_of
from audit.models import Checkpoint
from consortium.common.tenancy import WrongDatabaseRoleError, act_for
from consortium.kernel.checkpoints import Checkpoint as Signed
from consortium.kernel.checkpoints import open_checkpoint
from consortium.kernel.errors import InvalidSignatureError, NotFoundError
from consortium.kernel.merkle_proofs import verify_consistency
from consortium.kernel.notes import NoteKey


def test_a_checkpoint_is_a_signed_note_of_origin_size_and_root(filled, as_system):
    log = filled(5)
    with as_system():
        row = sign_checkpoint(log)
        key = NoteKey.parse(str(verifier_of(log)))
    assert open_checkpoint(row.note, key) == (Signed(log.origin, 5, bytes(row.root)), 0)
    assert row.note.startswith(f"{log.origin}\n5\n")
    assert row.consortium_id == log.consortium_id


def test_a_note_of_one_log_is_not_another_logs(filled, as_system):
    log = filled(1)
    with as_system():
        row = sign_checkpoint(log)
        other = NoteKey("consilium.example/logs/other", verifier_of(log).public_key)
    with pytest.raises(InvalidSignatureError):
        open_checkpoint(row.note, other)


def test_a_log_that_has_not_grown_keeps_its_checkpoint(filled, as_system):
    log = filled(3)
    with as_system():
        assert sign_checkpoint(log) == sign_checkpoint(log) == latest_checkpoint(log)
        assert Checkpoint.objects.count() == 1


def test_a_witness_can_follow_every_step(filled, as_system):
    for count in (3, 1, 9):
        log = filled(count)
        with as_system():
            sign_checkpoint(log)
    with as_system():
        steps = checkpoints_since(log.pk, 3)
        assert [(row.previous_size, row.size) for row in steps] == [(3, 4), (4, 13)]
        before = Checkpoint.objects.get(size=3)
        for row in steps:
            verify_consistency(
                first=before.size,
                second=row.size,
                first_root=bytes(before.root),
                second_root=bytes(row.root),
                proof=[bytes.fromhex(value) for value in row.consistency],
            )
            before = row
        assert [row.size for row in checkpoints_since(log.pk, 0)] == [3, 4, 13]
        with pytest.raises(NotFoundError):
            checkpoints_since(log.pk, 5)


def test_an_empty_log_has_nothing_to_sign(shared_log, as_system):
    with as_system(), pytest.raises(EmptyLogError):
        sign_checkpoint(shared_log)


def test_a_log_whose_end_was_cut_off_is_not_signed(filled, as_system, tamper):
    log = filled(4)
    with as_system():
        sign_checkpoint(log)
    tamper("DELETE FROM audit_auditleaf WHERE index = 3")
    with as_system(), pytest.raises(LogDamagedError, match="shrank from 4 to 3"):
        sign_checkpoint(log)
    with as_system():
        assert Checkpoint.objects.count() == 1


def test_a_tree_that_was_rewritten_is_not_signed(filled, take_lease, as_system, tamper):
    log = filled(4)
    with as_system():
        sign_checkpoint(log)
    tamper("UPDATE audit_treenode SET hash = %s WHERE level = 2", bytes(32))
    log = filled(1)
    with as_system(), pytest.raises(LogDamagedError, match="no longer holds its checkpoint of 4"):
        sign_checkpoint(log)
    with as_system():
        assert Checkpoint.objects.count() == 1


def test_a_lost_node_is_an_alarm(filled, as_system, tamper):
    log = filled(4)
    tamper("DELETE FROM audit_treenode WHERE level = 2")
    with as_system(), pytest.raises(LogDamagedError, match="Node 0 of level 2 is missing"):
        sign_checkpoint(log)


def test_the_app_signs_nothing(world, filled):
    log = filled(2)
    with act_for(organization_id=world.hospital.pk), pytest.raises(WrongDatabaseRoleError), transaction.atomic():
        sign_checkpoint(log)


def test_a_key_that_others_can_read_is_refused(filled, as_system, log_key):
    log = filled(1)
    log_key.chmod(0o640)
    with as_system(), pytest.raises(LogKeyError, match="chmod 600"):
        sign_checkpoint(log)
    with as_system():
        assert not Checkpoint.objects.exists()


def test_a_missing_key_says_how_to_make_one(filled, as_system, log_key, settings):
    log = filled(1)
    log_key.unlink()
    with as_system(), pytest.raises(LogKeyError, match="log_key create"):
        sign_checkpoint(log)
    settings.LOG_KEY_FILE = ""
    with as_system(), pytest.raises(LogKeyError, match="LOG_KEY_FILE"):
        sign_checkpoint(log)


def test_a_key_is_made_for_this_user_alone_and_never_replaced(tmp_path):
    path = tmp_path / "new.key"
    key = create_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    with pytest.raises(LogKeyError, match="there already"):
        create_key(path)
    assert path.read_bytes() == before
    assert read_key(path).private_bytes_raw() == key.private_bytes_raw()


def test_a_file_that_is_no_key_is_refused(tmp_path):
    path = tmp_path / "text.key"
    path.write_text("not a key")
    path.chmod(0o600)
    with pytest.raises(LogKeyError, match="no private key"):
        read_key(path)
