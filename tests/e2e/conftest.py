"""One running instance of everything for the tests that disturb it; they share a folder with the story."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from consortium.demo.plan import plan_document
from consortium.demo.sites import VOTER, wait_for
from consortium.demo.steps.planning import decide, open_decision
from consortium.demo.world import World
from consortium.embedded.layout import Layout, project_root
from consortium.embedded.supervisor import Instance
from contracts.gateway import Gateway
from tests.e2e.instance import founded
from tests.e2e.system import System

ROUNDS, RUNS = 4, 5


@pytest.fixture(scope="session")
def story_layout() -> Layout:
    """The instance of the story, which its test makes anew and others go on with."""
    return Layout(project_root() / ".local" / "story")


@pytest.fixture(scope="module")
def system(story_layout: Layout) -> Iterator[System]:
    """Everything up, four runs approved."""
    with founded(story_layout) as world, _database(world.instance) as database:
        addresses = world.instance.addresses
        chain = Gateway([addresses.chain], chain_id=addresses.chain_id)
        yield System(world, _approved_plan(world), database, chain)


def _database(instance: Instance) -> psycopg.Connection[dict[str, Any]]:
    assert instance.postgres is not None
    url = instance.postgres.url("consilium_system")
    return psycopg.connect(url, autocommit=True, row_factory=dict_row)


def _approved_plan(world: World) -> dict[str, Any]:
    """A plan that covers several short runs, proposed by the first hospital and approved by the four others."""
    author = world.sites[0]
    sites = [site.organization_id for site in world.sites]
    title = f"Long stay after a cardiac procedure, disturbed {time.time_ns()}"
    document = plan_document(title=title, consortium=world.consortium["id"], sites=sites)
    document |= {"rounds": ROUNDS, "max_runs": RUNS}
    with world.admin(author) as scientist:
        answer = scientist.post(f"consortia/{world.consortium['id']}/plans", {"document": document})
        assert answer.status_code == 201, answer.text
        plan: dict[str, Any] = answer.json()
        propose = ("plans", "propose", "--consortium", world.consortium["id"], plan["digest"])
        author.run(*propose, "--as", VOTER, "--pass-phrase-file", "voter.phrase")
        found = wait_for(60, lambda: open_decision(scientist, world, plan["subject"]), "the decision on the chain")
        decide(world, found["id"], world.sites[1:])
        wait_for(60, lambda: scientist.get(f"plans/{plan['id']}")["state"] == "approved", "the approval")
    return plan | {"document": document}
