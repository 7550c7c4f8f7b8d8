"""A coordinator may end at any moment: the same run, rounds and bytes, and the same weights, whoever goes on."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from django.db import connection

from contracts.models import OutboxTransaction
from training.coordination.lease import take_lease
from training.errors import FenceLostError
from training.models import Attempt, Errand, Round, Run
from training.services.sweep import runs_to_call

pytestmark = [pytest.mark.services, pytest.mark.parametrize("changes", [{"rounds": 2}])]

MOMENTS = [
    "leased",
    "run_asked",
    "run_opened",
    "announced",
    "commit_published",
    "commit_taken",
    "committed",
    "opening_asked",
    "opened",
    "shares_published",
    "shares_taken",
    "dealt",
    "train_published",
    "train_taken",
    "collected",
    "survivors_named",
    "sign_published",
    "sign_taken",
    "signed",
    "revealing",
    "reveal_published",
    "reveal_taken",
    "released",
    "aggregated",
    "verify_published",
    "verify_taken",
    "verified",
    "closing_asked",
    "closed",
]


class KilledError(BaseException):
    """The process ends here, as by kill -9: no handler of ours may catch it."""


def die_at(moment: str):
    def at(now: str) -> None:
        if now == moment:
            raise KilledError(moment)

    return at


def expire_lease(run) -> None:
    """What five seconds without a renewal come to."""
    Run.objects.filter(pk=run.pk).update(lease_until="2020-01-01T00:00:00Z")


def assert_whole(platform, run) -> None:
    """One attempt a round, every vector sent once, every question asked once, and the plain weights."""
    run.refresh_from_db()
    assert run.state == "completed"
    assert platform.weights(run) == platform.plain_weights(run)
    assert list(Round.objects.filter(run=run).values_list("number", flat=True)) == [1, 2]
    attempts = Attempt.objects.filter(run=run).values_list("round__number", "number", "state", "announcement")
    assert list(attempts) == [(1, 1, "closed", 1), (2, 1, "closed", 1)]
    for site in platform.sites:
        assert all(len(bytes_sent) == 1 for bytes_sent in site.sent.values())
        assert set(site.asked.values()) == {1}
    assert Errand.objects.filter(attempt__run=run).count() == 2 * 5 * 6


def test_a_run_goes_on_though_its_coordinators_die_at_every_moment_once(platform):
    run = platform.start()
    survived: set[str] = set()

    def at(moment: str) -> None:
        if moment not in survived:
            survived.add(moment)
            raise KilledError(moment)

    for number in range(1, len(MOMENTS) + 1):
        with pytest.raises(KilledError):
            platform.coordinate(run, at=at)
        assert not platform.coordinate(run), "the dead one's lease still holds"
        expire_lease(run)
        assert Run.objects.get(pk=run.pk).fence == number

    assert survived == set(MOMENTS)
    # killed after the last close: the run is completed, and nobody takes it up again
    assert not platform.coordinate(run)
    assert_whole(platform, run)


PROGRAM = """
import os, signal, sys
import django
django.setup()
from uuid import UUID
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[3]
connection.settings_dict["OPTIONS"]["options"] = "-c role=consilium_system"
from consortium.common.tenancy import act_for_all
from tests.integration.training.platform import HASTY
from training.coordination.coordinator import coordinate

def at(moment):
    print(moment, flush=True)
    if moment == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

with act_for_all():
    coordinate(UUID(sys.argv[1]), patience=HASTY, at=at)
"""


def test_a_coordinator_ended_by_kill_9_in_mid_training_is_followed(platform):
    run = platform.start()
    child = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(run.pk), "train_taken", connection.settings_dict["NAME"]],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        timeout=60,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()[-2000:]
    expire_lease(run)

    assert platform.coordinate(run)

    assert_whole(platform, run)


def test_of_two_coordinators_the_one_with_the_lower_fence_writes_nothing_more(platform):
    run = platform.start()
    slow, over = threading.Event(), threading.Event()
    faults: list[FenceLostError] = []

    def stall(moment: str) -> None:
        if moment == "dealt":
            slow.set()
            over.wait(30)

    def first() -> None:
        try:
            platform.coordinate(run, at=stall)
        except FenceLostError as fault:
            faults.append(fault)
        finally:
            connection.close()

    stalled = threading.Thread(target=first)
    stalled.start()
    assert slow.wait(30)
    second = steal(run)
    over.set()
    stalled.join()

    assert [fault.code for fault in faults] == ["fence_too_low"]
    second.release()
    assert platform.coordinate(run)
    assert_whole(platform, run)
    assert Run.objects.get(pk=run.pk).fence == 3


def steal(run):
    """Take the run over while its first coordinator is stalled; it renews at once again, so be quick."""
    while True:
        expire_lease(run)
        if (lease := take_lease(run.pk, "second")) is not None:
            return lease


def test_a_run_that_is_held_is_not_called_for_and_one_call_is_enough(platform):
    run = platform.start()

    assert runs_to_call() == [run.pk]
    assert runs_to_call() == []
    lease = take_lease(run.pk, "holder")
    assert lease is not None
    assert take_lease(run.pk, "another") is None
    Run.objects.filter(pk=run.pk).update(called_at=None)
    assert runs_to_call() == []


def test_sites_see_a_fence_that_only_rises(platform):
    run = platform.start()
    with pytest.raises(KilledError):
        platform.coordinate(run, at=die_at("collected"))
    expire_lease(run)
    platform.coordinate(run)

    for site in platform.sites:
        assert site.fences == sorted(site.fences)
        assert set(site.fences) == {1, 2}


def test_a_run_whose_opening_the_chain_has_lost_for_good_fails_and_says_so(platform):
    """A development chain that came back shorter refuses an opening whose commitments name a block that is gone."""
    run = platform.start()
    with pytest.raises(KilledError):
        platform.coordinate(run, at=die_at("dealt"))
    expire_lease(run)
    opening = OutboxTransaction.objects.filter(function="openAttempt")
    assert opening.update(state="failed", error_code="LedgerTooFewSites") == 1
    Attempt.objects.filter(run=run).update(state="abandoned", abandoned_text="0 dealers are fewer than t=4.")

    platform.coordinate(run)

    run.refresh_from_db()
    assert (run.state, run.failure_code) == ("failed", "opening_lost")
    assert run.failure_text == "The chain has lost round 1, and does not take its opening again."
    assert run.ending_work is not None
