"""One running instance of everything for the tests that disturb it; they share a folder with the story."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from consortium.demo.__main__ import remove
from consortium.demo.plan import plan_document
from consortium.demo.sites import VOTER, wait_for
from consortium.demo.steps import consents, founding, services
from consortium.demo.steps.planning import decide, open_decision
from consortium.demo.story import Story
from consortium.demo.world import Ports, World, kept_ports
from consortium.embedded.errors import PortInUseError
from consortium.embedded.instance import ensure_port_free, free_port
from consortium.embedded.layout import Layout, project_root
from consortium.embedded.supervisor import Instance, running_services
from contracts.gateway import Gateway
from tests.e2e.system import System

FOUNDED = ("founding", "consents")
SOURCES = ("agent", "audit", "consent", "consortium", "contracts", "training")
ROUNDS, RUNS = 4, 5
# What the tests' own services are called; an instance starts its own.
FOREIGN = ("DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "CHAIN_RPC_URL", "DJANGO_SETTINGS_MODULE")


@pytest.fixture(scope="session")
def story_layout() -> Layout:
    """The instance of the story, which its test makes anew and others go on with."""
    return Layout(project_root() / ".local" / "story")


@pytest.fixture(scope="module")
def system(story_layout: Layout) -> Iterator[System]:
    """Everything up, four runs approved; from nothing unless an instance stands that this very code has made."""
    with pytest.MonkeyPatch.context() as patch:
        for name in FOREIGN:
            patch.delenv(name, raising=False)
        ports = _ports(story_layout)
        with running_services(story_layout, web_port=ports.web, chain_port=ports.chain) as instance:
            world = World(instance=instance, ports=ports)
            story = Story(story_layout.demo)
            for step in (services, founding, consents):
                step.tell(story, world)
            with _database(instance) as database:
                chain = Gateway([instance.addresses.chain], chain_id=instance.addresses.chain_id)
                yield System(world, _approved_plan(world), database, chain)


def _ports(layout: Layout) -> Ports:
    kept = kept_ports(layout)
    if kept is not None and _is_current(layout) and _are_free(kept):
        return kept
    remove(layout)
    return Ports(free_port(), free_port())


def _is_current(layout: Layout) -> bool:
    """Whether the kept instance stands and no source file has changed since."""
    root, kept = project_root(), layout.demo / "world.json"
    stands = all(f'"{step}"' in kept.read_text() for step in FOUNDED)
    sources = (path for folder in SOURCES for path in (root / folder).rglob("*.[pjs]*") if _is_source(path))
    return stands and max(path.stat().st_mtime for path in sources) < kept.stat().st_mtime


def _is_source(path: Path) -> bool:
    return path.suffix in {".py", ".json", ".sol"} and path.is_file()


def _are_free(ports: Ports) -> bool:
    try:
        for port in (ports.web, ports.chain):
            ensure_port_free(port, option="--fresh")
    except PortInUseError:
        return False
    return True


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
