"""From recorded to integrated: every record one leaf, no gap, no double, whatever happens in between."""

import threading
import uuid

import pytest
from django.db import DataError, connection, transaction

from audit.acts import Actor, Subject
from audit.log import integration
from audit.log.checkpoints import sign_checkpoint
from audit.log.errors import NotIntegratedError
from audit.log.fsck import fsck
from audit.log.integration import integrate, integrate_all
from audit.log.keys import verifier_of
from audit.log.nodes import log_size
from audit.log.proofs import prove_consistency, prove_inclusion, root_at
from audit.log.states import with_state
from audit.models import Anchor, AuditLeaf, AuditLog, AuditRecord, PendingRecord, TreeNode
from audit.recorder import record
from consortium.common.tenancy import WrongDatabaseRoleError, act_for, act_for_all
from consortium.kernel.merkle import MemoryTree, leaf_hash
from consortium.kernel.merkle_proofs import verify_consistency, verify_inclusion
from tests.factories.membership import make_world


def leaves_of(log: AuditLog) -> list[AuditLeaf]:
    return list(AuditLeaf.objects.filter(log=log).select_related("record__log").order_by("index"))


def test_records_become_leaves_in_the_order_of_recording(filled, as_system):
    log = filled(20)
    with as_system():
        leaves = leaves_of(log)
        assert [leaf.index for leaf in leaves] == list(range(20))
        assert [leaf.record.body["fence"] for leaf in leaves] == list(range(20))
        assert not PendingRecord.objects.exists()


def test_the_stored_tree_is_the_tree_of_the_records_bytes(filled, as_system, monkeypatch):
    monkeypatch.setattr(integration, "BATCH", 7)
    log = filled(30)
    with as_system():
        tree = MemoryTree(bytes(leaf.record.canonical) for leaf in leaves_of(log))
        stored = {(node.level, node.index): bytes(node.hash) for node in TreeNode.objects.filter(log=log)}
        assert len(stored) == 30 + 15 + 7 + 3 + 1
        assert all(tree.get(level, index) == value for (level, index), value in stored.items())
        assert [root_at(log, size) for size in range(31)] == [tree.root(size) for size in range(31)]


def test_every_leaf_is_proven_under_every_checkpoint_that_covers_it(filled, as_system):
    for count in (5, 8, 6):
        log = filled(count)
        with as_system():
            sign_checkpoint(log)
    with as_system():
        for checkpoint in log.checkpoints.order_by("size"):
            for leaf in leaves_of(log)[: checkpoint.size]:
                proof = prove_inclusion(leaf.record, checkpoint=checkpoint)
                verify_inclusion(
                    leaf=leaf_hash(bytes(leaf.record.canonical)),
                    index=leaf.index,
                    size=checkpoint.size,
                    path=proof.path,
                    root=bytes(checkpoint.root),
                )
                proof.verify()
                assert proof.checkpoint == checkpoint.note
        assert [row.size for row in log.checkpoints.order_by("size")] == [5, 13, 19]


def test_consistency_is_proven_between_every_two_sizes(filled, as_system):
    log = filled(13)
    with as_system():
        for second in range(1, 14):
            for first in range(1, second + 1):
                verify_consistency(
                    first=first,
                    second=second,
                    first_root=root_at(log, first),
                    second_root=root_at(log, second),
                    proof=prove_consistency(log, first, second),
                )


def test_a_proof_is_three_queries_however_large_the_log(filled, as_system, django_assert_num_queries):
    log = filled(40)
    with as_system():
        sign_checkpoint(log)
        row = leaves_of(log)[11].record
        with django_assert_num_queries(3):
            prove_inclusion(row)


def test_a_record_has_no_proof_before_its_leaf_and_checkpoint(world, filled, take_lease, as_system):
    log = filled(2)
    with as_system():
        first = leaves_of(log)[0].record
        with pytest.raises(NotIntegratedError):
            prove_inclusion(first)
        sign_checkpoint(log)
        prove_inclusion(first).verify()
        with pytest.raises(NotIntegratedError):
            prove_inclusion(take_lease(3))


def test_a_record_goes_from_recorded_to_integrated_to_anchored(shared_log, take_lease, as_system):
    with as_system():
        row = take_lease(1)

        def state() -> tuple[str, int | None]:
            found = with_state(AuditRecord.objects.filter(pk=row.pk)).get()
            return found.state, found.leaf_index

        assert state() == ("recorded", None)
        integrate(shared_log)
        assert state() == ("integrated", 0)
        anchor = Anchor.objects.create(checkpoint=sign_checkpoint(shared_log))
        assert state() == ("integrated", 0)
        Anchor.objects.filter(pk=anchor.pk).update(chain_state="confirmed", confirmed_block=3)
        assert state() == ("anchored", 0)


def test_a_member_proves_a_record_of_its_consortium_itself(world, filled, as_system):
    log = filled(9)
    with as_system():
        sign_checkpoint(log)
    with act_for(organization_id=world.hospital.pk):
        prove_inclusion(leaves_of(log)[4].record).verify()


def test_integrating_twice_adds_nothing(filled, as_system):
    log = filled(4)
    with as_system():
        assert integrate(log) == 0
        assert integrate_all() == 0
        assert log_size(log) == 4


def test_every_log_with_waiting_records_is_integrated(world, shared_log, take_lease, as_system):
    with as_system():
        take_lease(1)
        record(
            action="identity.logout",
            organization_id=world.hospital.pk,
            consortium_id=None,
            actor=Actor.system("web"),
            subject=Subject("person", "7"),
        )
        assert integrate_all() == 2
        assert {log_size(log) for log in AuditLog.objects.all()} == {1}


def test_the_app_integrates_nothing(world, shared_log, take_lease, as_system):
    with act_for(organization_id=world.hospital.pk):
        take_lease(1)
        with pytest.raises(WrongDatabaseRoleError), transaction.atomic():
            integrate(shared_log)
    with as_system():
        assert log_size(shared_log) == 0


@pytest.mark.parametrize("step", ["_LEAVES", "_NODES", "_DONE"])
def test_a_kill_between_two_steps_leaves_the_log_as_it_was(filled, take_lease, as_system, monkeypatch, step):
    log = filled(3)
    with as_system():
        take_lease(4)
        with monkeypatch.context() as patch:
            patch.setattr(integration, step, getattr(integration, step) + " RETURNING 1 / 0")
            with pytest.raises(DataError, match="division by zero"), transaction.atomic():
                integrate(log)
        assert log_size(log) == 3
        assert TreeNode.objects.filter(log=log).count() == 4
        assert PendingRecord.objects.count() == 1
        assert fsck(log, key=verifier_of(log)).well

        assert integrate(log) == 1
        assert fsck(log, key=verifier_of(log)).well


WRITERS, EACH = 3, 40


@pytest.mark.django_db(transaction=True)
def test_writers_and_integrators_at_once_leave_no_gap_and_no_double(log_key):
    with system_connection():
        world = make_world()
        log = AuditLog.objects.of(consortium_id=world.consortium.pk)
    written = threading.Event()
    faults: list[BaseException] = []

    def write(number: int) -> None:
        for fence in range(EACH):
            with system_connection():
                record(
                    action="training.lease.take",
                    organization_id=None,
                    consortium_id=world.consortium.pk,
                    actor=Actor.system("coordinator"),
                    subject=Subject("run", str(uuid.UUID(int=number))),
                    data={"fence": fence},
                )

    def keep_integrating() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE consilium_system")
        while not written.is_set():
            integrate(log)

    def run(work, *arguments) -> threading.Thread:
        def guarded() -> None:
            try:
                work(*arguments)
            except BaseException as fault:  # noqa: BLE001  the test's own thread shows it
                faults.append(fault)
            finally:
                connection.close()

        thread = threading.Thread(target=guarded)
        thread.start()
        return thread

    integrators = [run(keep_integrating) for _ in range(2)]
    for writer in [run(write, number) for number in range(WRITERS)]:
        writer.join()
    written.set()
    for thread in integrators:
        thread.join()

    assert faults == []
    with system_connection():
        integrate(log)
        assert [leaf.index for leaf in leaves_of(log)] == list(range(WRITERS * EACH))
        assert len({leaf.record_id for leaf in leaves_of(log)}) == WRITERS * EACH
        assert fsck(log, key=verifier_of(log)).well


class system_connection:  # noqa: N801  reads as a context manager
    """A transaction as the system, on this thread's own connection."""

    def __enter__(self) -> None:
        self._atomic = transaction.atomic()
        self._atomic.__enter__()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL ROLE consilium_system")
        self._scope = act_for_all()
        self._scope.__enter__()

    def __exit__(self, *fault) -> None:
        self._scope.__exit__(*fault)
        self._atomic.__exit__(*fault)
