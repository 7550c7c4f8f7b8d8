"""Two projectors, and an operator's sweep, at once: every block's proof is kept once, and nobody stops or waits long.

Each works in a thread with a connection of its own to the database and a gateway of its own to the node.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from consortium.common.tenancy import act_for_all
from contracts.models import BlockProof, ChainCursor, ChainEventRecord
from contracts.projector import ProjectReport, project_once
from contracts.reading.capturing import capture
from contracts.reading.evidence import EvidenceGateway
from contracts.reading.proof_keeping import SweepReport, sweep_proofs, wanted_block
from tests.factories.membership import World, make_world
from tests.factories.streams import all_applied
from tests.integration.bundles.sealed_world import CHAIN_ID, SealedWorld, proofs, retry_now, sealed_world
from tests.integration.channel.agents import FakeSite

pytestmark = pytest.mark.services
CHANGES = 12
PATIENCE_SECONDS = 30.0


@pytest.fixture
def world(transactional_db, as_system) -> World:
    with transaction.atomic(), as_system():
        return make_world()


@pytest.fixture
def sealed(tmp_path: Path, world: World, as_system, settings) -> Iterator[SealedWorld]:
    settings.CHAIN_ID = CHAIN_ID
    folder = tmp_path / "network"
    folder.mkdir()
    sites = [FakeSite(world.hospital), FakeSite(world.bank)]
    with transaction.atomic(), as_system():
        for site in sites:
            site.register(world.consortium)
    for site in sites:
        site.open_session()
    with sealed_world(folder) as made:
        with transaction.atomic(), as_system():
            made.found(world.consortium.pk, sites)
        yield made


@pytest.fixture
def unread(sealed: SealedWorld, act, keep, as_system) -> set[int]:
    """Blocks that are to be proven and that no projector has seen: changes of the validators, and an anchor."""
    blocks = {change(sealed, number) for number in range(CHANGES)}
    sealed.anchor_unread(transaction.atomic(act), keep, as_system)
    with as_system():
        assert not BlockProof.objects.filter(block_number__in=blocks).exists()
    return blocks | {sealed.network.gateway.head().number}


def change(sealed: SealedWorld, number: int) -> int:
    return sealed.replace_validators(*((0, 1, 2) if number % 2 == 0 else (1, 2)))


class PausedGateway(EvidenceGateway):
    """Stands still where a block's proof is about to be asked for, from the `number`-th on, until it may go on."""

    def __init__(self, url: str, number: int = 1) -> None:
        super().__init__([url], chain_id=CHAIN_ID)
        self.left = number
        self.reached, self.may_go_on = threading.Event(), threading.Event()
        self.ends = False

    def header(self, number: int) -> dict[str, str]:
        self.left -= 1
        if self.left <= 0:
            self.reached.set()
            assert self.may_go_on.wait(PATIENCE_SECONDS)
            if self.ends:
                raise KilledError
        return super().header(number)


class KilledError(BaseException):
    """The process ends here, as by kill -9: no handler of ours may catch it."""


@contextmanager
def programs(count: int = 2) -> Iterator[Callable[..., Future[Any]]]:
    """Start work as processes of the system do; what is still going at the end is waited for."""
    with ThreadPoolExecutor(count) as threads:
        yield lambda work, *arguments, **options: threads.submit(_as_a_program, work, *arguments, **options)


def _as_a_program(work: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE consilium_system")
        with act_for_all():
            return work(*arguments, **options)
    finally:
        connection.close()


def gateway(sealed: SealedWorld) -> EvidenceGateway:
    return EvidenceGateway([sealed.node.url], chain_id=CHAIN_ID)


def follow(sealed: SealedWorld, start: threading.Barrier, until: Callable[[], bool]) -> list[ProjectReport]:
    """Project, as its command does, until there is nothing more to come."""
    door, reports = gateway(sealed), []
    start.wait(PATIENCE_SECONDS)
    while not until():
        reports.append(project_once(door))
        sweep_proofs(door, with_history=True)
    return reports


def require_all_kept(sealed: SealedWorld, wanted: set[int], as_system: Any) -> None:
    """Every block once, with what a node gives of it to one who asks alone; the stream is at the head and goes on."""
    with as_system():
        kept = proofs()
        assert kept.keys() == wanted | {0}
        assert BlockProof.objects.count() == len(kept)
        for number, proof in kept.items():
            alone = asdict(capture(gateway(sealed), wanted_block(proof.consortium_id, number)))
            assert {name: getattr(proof, name) for name in alone} == alone, number
            assert (proof.missing_text, proof.retry_at) == ("", None)
        cursor = ChainCursor.objects.get()
        assert (cursor.position, cursor.halted_text) == (gateway(sealed).head().number, "")
        assert all_applied()
        assert not ChainEventRecord.objects.filter(attempts__gt=0).exists()


def test_two_that_race_over_new_blocks_keep_each_once_and_ask_for_none_twice(sealed, unread, as_system):
    sealed.node.methods.clear()
    start, wanted, done = threading.Barrier(3), set(unread), threading.Event()

    def is_over() -> bool:
        return done.is_set() and ChainCursor.objects.get().position == head and all_applied()

    with programs() as run:
        racing = [run(follow, sealed, start, is_over) for _ in range(2)]
        start.wait(PATIENCE_SECONDS)
        for number in range(CHANGES):
            wanted.add(change(sealed, number))
        head = sealed.network.gateway.head().number
        done.set()
        reports = [report for one in racing for report in one.result(PATIENCE_SECONDS)]

    assert all(report.failed == 0 for report in reports)
    # Block 0 was proven at the founding.
    assert sealed.node.methods.count("eth_getProof") == len(wanted)
    require_all_kept(sealed, wanted, as_system)


def test_while_one_captures_the_other_passes_the_stream_by_and_finds_nothing_left_to_do(sealed, unread, as_system):
    slow = PausedGateway(sealed.node.url)
    with programs() as run:
        reading = run(project_once, slow)
        assert slow.reached.wait(PATIENCE_SECONDS)

        # Its events and its notes are not committed: nobody else sees them, or waits for them.
        passed = run(project_once, gateway(sealed)).result(PATIENCE_SECONDS)
        swept = run(sweep_proofs, gateway(sealed)).result(PATIENCE_SECONDS)
        slow.may_go_on.set()
        read = reading.result(PATIENCE_SECONDS)

    assert (passed, swept) == (ProjectReport(), SweepReport())
    assert (read.failed, read.applied >= len(unread)) == (0, True)
    require_all_kept(sealed, unread, as_system)


def test_what_a_killed_one_had_begun_is_captured_by_the_other(sealed, unread, as_system):
    doomed = PausedGateway(sealed.node.url, number=3)
    doomed.ends = True
    with programs() as run:
        killed = run(project_once, doomed)
        assert doomed.reached.wait(PATIENCE_SECONDS)
        doomed.may_go_on.set()
        assert isinstance(killed.exception(PATIENCE_SECONDS), KilledError)
        with as_system():
            assert not BlockProof.objects.filter(block_number__in=unread).exists()
        report = run(project_once, gateway(sealed)).result(PATIENCE_SECONDS)

    assert report.failed == 0
    require_all_kept(sealed, unread, as_system)


@pytest.fixture
def missing(sealed: SealedWorld, unread: set[int], as_system) -> set[int]:
    """The same blocks, read from a node that gave no proofs: all wait, and their pauses have passed."""
    sealed.node.refused = {"eth_getProof"}
    with as_system():
        project_once(gateway(sealed))
        sweep_proofs(gateway(sealed))
        assert not BlockProof.objects.filter(block_number__in=unread, captured_at__isnull=False).exists()
        retry_now()
    sealed.node.refused = set()
    sealed.node.methods.clear()
    return unread


def test_two_that_sweep_share_what_is_missing(sealed, missing, as_system):
    slow = PausedGateway(sealed.node.url)
    with programs() as run:
        first = run(sweep_proofs, slow)
        assert slow.reached.wait(PATIENCE_SECONDS)

        # All but the block that the first one is at, and without waiting for it.
        second = run(sweep_proofs, gateway(sealed)).result(PATIENCE_SECONDS)
        slow.may_go_on.set()

        assert second == SweepReport(captured=len(missing) - 1)
        assert first.result(PATIENCE_SECONDS) == SweepReport(captured=1)
    assert sealed.node.methods.count("eth_getProof") == len(missing)
    require_all_kept(sealed, missing, as_system)


def test_a_window_read_anew_leaves_a_block_to_the_sweep_that_is_at_it(sealed, missing, as_system):
    slow = PausedGateway(sealed.node.url)
    with programs() as run:
        sweeping = run(sweep_proofs, slow)
        assert slow.reached.wait(PATIENCE_SECONDS)
        with as_system():
            ChainCursor.objects.update(position=min(missing) - 1, block_hash=b"")

        read = run(project_once, gateway(sealed)).result(PATIENCE_SECONDS)
        with as_system():
            waiting = BlockProof.objects.filter(captured_at__isnull=True)
            assert (read.failed, waiting.count()) == (0, 1)
        slow.may_go_on.set()
        assert sweeping.result(PATIENCE_SECONDS) == SweepReport(captured=1)
    require_all_kept(sealed, missing, as_system)


def test_who_notes_the_same_blocks_waits_for_the_first_and_changes_nothing(sealed, unread, as_system):
    with as_system():
        BlockProof.objects.all().delete()
        ChainCursor.objects.update(position=-1, first_block=0, block_hash=b"")
    slow = PausedGateway(sealed.node.url)
    with programs() as run:
        reading = run(project_once, slow)
        assert slow.reached.wait(PATIENCE_SECONDS)
        # What was stored before is seen by everybody, and noted by both: also block 0.
        noting = run(sweep_proofs, gateway(sealed), with_history=True)
        _await_a_wait(as_system)
        slow.may_go_on.set()

        assert reading.result(PATIENCE_SECONDS).failed == 0
        assert noting.result(PATIENCE_SECONDS).missing == 0
    require_all_kept(sealed, unread, as_system)


def _await_a_wait(as_system: Any) -> None:
    """Until the database has one program wait for another's lock."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _waiting():
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.01)


def _waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


def test_a_block_that_one_sweep_has_just_asked_for_in_vain_keeps_its_pause(sealed, missing, as_system):
    sealed.node.refused = {"eth_getProof"}
    slow = PausedGateway(sealed.node.url)
    with programs() as run:
        first = run(sweep_proofs, slow)
        assert slow.reached.wait(PATIENCE_SECONDS)
        second = run(sweep_proofs, gateway(sealed)).result(PATIENCE_SECONDS)
        slow.may_go_on.set()

        assert second == SweepReport(missing=len(missing) - 1)
        assert first.result(PATIENCE_SECONDS) == SweepReport(missing=1)
    with as_system():
        attempts = BlockProof.objects.filter(captured_at__isnull=True).values_list("attempts", flat=True)
        assert len(set(attempts)) == 1
