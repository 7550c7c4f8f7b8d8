"""A running instance of everything for tests: kept between test runs while the code that made it is the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from consortium.demo.__main__ import remove
from consortium.demo.sites import wait_for
from consortium.demo.steps import consents, evidence, founding, model, planning, services, training
from consortium.demo.story import Story
from consortium.demo.world import Ports, World, kept_ports
from consortium.embedded.errors import PortInUseError
from consortium.embedded.instance import ensure_port_free, free_port
from consortium.embedded.layout import Layout, project_root
from consortium.embedded.supervisor import running_services

FOUNDED = ("founding", "consents")
# Steps that leave a run, a released model and a bundle; each telling makes new ones.
REST = (planning, training, model, evidence)
SOURCES = ("agent", "audit", "consent", "consortium", "contracts", "training")
# What the tests' own services are called; an instance starts its own.
FOREIGN = ("DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "CHAIN_RPC_URL", "DJANGO_SETTINGS_MODULE")


@contextmanager
def founded(layout: Layout) -> Iterator[World]:
    """Everything up, five members with consents and data sets; from nothing unless a current instance is kept."""
    with pytest.MonkeyPatch.context() as patch:
        for name in FOREIGN:
            patch.delenv(name, raising=False)
        ports = _ports(layout)
        with running_services(layout, web_port=ports.web, chain_port=ports.chain) as instance:
            world = World(instance=instance, ports=ports)
            story = Story(layout.demo)
            for step in (services, founding, consents):
                step.tell(story, world)
            yield world


@contextmanager
def told(layout: Layout) -> Iterator[World]:
    """The same with the whole story told once: a completed run, its released model, a report of the first hospital."""
    with founded(layout) as world:
        if not world.stands("model"):
            story = Story(layout.demo)
            for step in REST:
                step.tell(story, world)
        _ensure_report(world)
        yield world


def _ensure_report(world: World) -> None:
    """The story's bundle is another member's; pages of reports are looked at as the first hospital."""
    with world.admin(world.sites[0]) as officer:
        path = f"consortia/{world.consortium['id']}/bundles"
        if officer.get(path)["results"]:
            return
        asked = officer.post(path, {"report": "gdpr_art_30"}).json()
        wait_for(60, lambda: officer.get(f"bundles/{asked['id']}")["state"] == "ready", "the report")


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
    sources = (path for folder in SOURCES for path in (root / folder).rglob("*") if _is_source(path))
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
