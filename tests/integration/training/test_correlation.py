"""A run's acts lie under the id of the request that asked for it, also where a worker does them."""

from uuid import UUID

import pytest

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.common.correlation import correlation_id, following
from tests.factories.membership import World, make_world
from tests.factories.training import make_plan, make_run
from training import tasks
from training.coordination.following import correlation_of_run
from training.models import Run

ACT = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def run(as_system) -> Run:
    """A run that a request of this id asked for."""
    with as_system(), following(ACT):
        world: World = make_world()
        plan = make_plan(world)
        run = make_run(world, plan, state="planned")
        record(
            action="training.run.create",
            organization_id=None,
            consortium_id=world.consortium.pk,
            actor=Actor.system("coordinator"),
            subject=Subject("run", str(run.pk)),
            data={"plan": plan.digest, "backend": "memory"},
        )
        return run


def test_a_worker_takes_over_the_id_and_lays_it_down_again(run, as_system, monkeypatch):
    seen = []

    def coordinate(run_id: UUID) -> bool:
        seen.append(correlation_id())
        return True

    monkeypatch.setattr(tasks, "coordinate", coordinate)

    with as_system(), following("99999999-2222-4333-8444-555555555555"):
        assert tasks.coordinate_run(str(run.pk))
        assert correlation_id() == "99999999-2222-4333-8444-555555555555"

    assert seen == [ACT]


def test_a_run_known_from_the_chain_alone_has_no_id(as_system):
    with as_system():
        assert correlation_of_run(make_world().consortium.pk) is None
