"""Rounds as tasks of a Substra compute plan, and what becomes of them when something dies."""

import os
import signal
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from training.backends.substra import backend as substra_backend
from training.backends.substra.backend import SubstraBackend
from training.backends.substra.child_process import ChildLostError
from training.models import Attempt, LineageRow, RunOrder, SitePart

pytestmark = pytest.mark.services


def rows(run, **filters):
    return LineageRow.objects.filter(run=run, **filters)


def folder_of(run) -> Path:
    return Path(settings.PLATFORM_FOLDER) / "runs" / str(run.pk)


@pytest.mark.parametrize("changes", [{"rounds": 3}])
def test_rounds_give_the_same_weights_as_plain_arithmetic_and_each_task_a_row(platform):
    run = platform.start("substra")

    assert platform.coordinate(run)

    assert platform.weights(run) == platform.plain_weights(run)
    assert rows(run, kind="train", status="done").count() == 15
    assert rows(run).values("compute_plan").distinct().count() == 1
    sums = {row.round: row for row in rows(run, kind="sum")}
    for number in (1, 2, 3):
        trained = rows(run, kind="train", round=number)
        assert set(sums[number].parents) == {row.key for row in trained}
        # a round's training follows the sum of the round before
        assert {tuple(row.parents) for row in trained} == {(sums[number - 1].key,) if number > 1 else ()}
        sent = SitePart.objects.filter(attempt__run=run, attempt__round__number=number)
        assert {row.organization_id: row.output_digest for row in trained} == dict(
            sent.values_list("organization_id", "vector")
        )
    assert not folder_of(run).exists(), "the child's folder goes with it"


@pytest.mark.parametrize("changes", [{"rounds": 3}])
def test_a_lost_site_is_a_failed_task_and_the_plan_goes_on(platform):
    run = platform.start("substra")
    lost = platform.sites[3]
    lost.silent = {("train", 2)}

    def restart(moment: str) -> None:
        if moment == "verified" and lost.is_dead:
            lost.restart()

    platform.coordinate(run, at=restart)

    assert platform.weights(run) == platform.plain_weights(run, lost={2: {3}})
    [failed] = rows(run, status="failed")
    assert (failed.round, failed.organization_id, failed.output_digest) == (2, lost.organization, "")
    assert rows(run, round=3, kind="train", status="done").count() == 5
    assert rows(run).values("compute_plan").distinct().count() == 1


@pytest.mark.parametrize("changes", [{"rounds": 2}])
def test_a_killed_child_costs_no_vector_and_the_next_coordinator_goes_on_in_a_new_plan(platform):
    run = platform.start("substra")
    backend = SubstraBackend()

    def kill(moment: str) -> None:
        if moment == "collected":
            assert backend._child is not None
            os.kill(backend._child.pid, signal.SIGKILL)

    with pytest.raises(ChildLostError, match="ended with status -9"):
        platform.coordinate(run, at=kill, backend=backend)
    run.refresh_from_db()
    assert (run.faults, run.lease_until) == (1, None)
    assert platform.coordinate(run)

    assert platform.weights(run) == platform.plain_weights(run)
    assert [attempt.number for attempt in Attempt.objects.filter(run=run)] == [1, 1]
    for site in platform.sites:
        assert all(len(bytes_sent) == 1 for bytes_sent in site.sent.values())
        assert set(site.asked.values()) == {1}
    # Tasks that the killed child had told of stand there too, over the same bytes.
    [second] = set(rows(run, round=2).values_list("compute_plan", flat=True))
    assert rows(run, round=1, kind="train", compute_plan=second, status="done").count() == 5
    digests = rows(run, round=1, kind="train").values_list("organization_id", "output_digest").distinct()
    assert digests.count() == 5


@pytest.mark.parametrize("changes", [{"rounds": 2}])
@pytest.mark.parametrize("moment", ["train_taken", "survivors_named", "aggregated"])
def test_a_coordinator_that_dies_is_followed_by_one_that_resubmits_from_the_store(platform, moment):
    class KilledError(BaseException):
        pass

    def die(now: str) -> None:
        if now == moment:
            raise KilledError

    run = platform.start("substra")
    with pytest.raises(KilledError):
        platform.coordinate(run, at=die)
    type(run).objects.filter(pk=run.pk).update(lease_until="2020-01-01T00:00:00Z")

    assert platform.coordinate(run)

    assert platform.weights(run) == platform.plain_weights(run)
    for site in platform.sites:
        assert set(site.asked.values()) == {1}


@pytest.mark.parametrize("changes", [{"rounds": 2}])
def test_a_canceled_run_leaves_its_waiting_task_as_canceled(platform):
    run = platform.start("substra")

    def cancel(moment: str) -> None:
        if moment == "train_published":
            for site in platform.sites:
                site.is_dead = True
            RunOrder.objects.create(
                consortium=run.consortium, organization=run.organization, run=run, kind="cancel", reason="a test"
            )

    platform.coordinate(run, at=cancel)

    run.refresh_from_db()
    assert run.state == "canceled"
    assert set(rows(run).values_list("status", flat=True)) <= {"canceled", "done"}
    assert rows(run, status="canceled").exists()
    assert not folder_of(run).exists()


@pytest.mark.parametrize("changes", [{"rounds": 3}])
def test_a_long_run_goes_on_in_a_new_plan_now_and_then(platform, monkeypatch):
    monkeypatch.setattr(substra_backend, "ROUNDS_A_PLAN", 2)
    run = platform.start("substra")

    platform.coordinate(run)

    assert platform.weights(run) == platform.plain_weights(run)
    first, second = (set(rows(run, round=number).values_list("compute_plan", flat=True)) for number in (2, 3))
    assert len(first) == len(second) == 1
    assert first != second


@pytest.mark.parametrize("changes", [{"rounds": 1}])
def test_a_run_fails_with_the_remedy_where_substra_is_not_installed(platform, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    run = platform.start("substra")

    platform.coordinate(run)

    run.refresh_from_db()
    assert (run.state, run.failure_code) == ("failed", "backend_missing")
    assert "Install the extra `substra`" in run.failure_text
    assert run.ended_at <= timezone.now()
    assert not rows(run).exists()
