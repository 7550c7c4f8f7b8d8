"""What the steps of the story share, kept between runs so that a later one goes on where the first ended."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consortium.demo.hospitals import HOSPITALS
from consortium.demo.portal import Visitor, visitor
from consortium.demo.sites import Site
from consortium.embedded.credentials import write_secret
from consortium.embedded.layout import Layout
from consortium.embedded.supervisor import Instance

CONSORTIUM = "arizona-cardiac"
CORES = 2


@dataclass(frozen=True)
class Ports:
    """Where portal and chain answer: the sites' own configuration names both, so they stay."""

    web: int
    chain: int


@dataclass
class World:
    """The running instance, where it answers, and who may log in."""

    instance: Instance
    ports: Ports
    operator_email: str = "operator@consilium.example"
    operator_phrase: str = ""
    sites: list[Site] = field(default_factory=list)
    consortium: dict[str, Any] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    runs: int = 0
    plan: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sites = [Site(hospital, self.instance, index) for index, hospital in enumerate(HOSPITALS)]
        path = _file(self.instance.layout)
        if path.exists():
            self._load(json.loads(path.read_text()))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.ports.web}"

    def admin(self, site: Site) -> Visitor:
        """The site's administrator, logged in and with a token."""
        return visitor(self.address, site.hospital.admin, site.admin_phrase)

    def stands(self, step: str) -> bool:
        """Whether an earlier run of the story did this step; its result is still there."""
        return step in self.done

    def finish(self, step: str) -> None:
        """Keep that a step is done, and what the next run needs of it."""
        if step not in self.done:
            self.done.append(step)
        kept = {
            "ports": {"web": self.ports.web, "chain": self.ports.chain},
            "consortium": self.consortium,
            "done": self.done,
            "runs": self.runs,
            "sites": [
                {
                    "organization_id": site.organization_id,
                    "admin_phrase": site.admin_phrase,
                    "voter_phrase": site.voter_phrase,
                    "port": site.port,
                }
                for site in self.sites
            ],
        }
        write_secret(_file(self.instance.layout), json.dumps(kept))

    def _load(self, kept: dict[str, Any]) -> None:
        self.consortium, self.done, self.runs = kept["consortium"], kept["done"], kept["runs"]
        for site, values in zip(self.sites, kept["sites"], strict=True):
            for name, value in values.items():
                setattr(site, name, value)


def kept_ports(layout: Layout) -> Ports | None:
    """The ports of the instance that an earlier run made, if there is one."""
    path = _file(layout)
    return Ports(**json.loads(path.read_text())["ports"]) if path.exists() else None


def at_each(sites: list[Site], work: Any, *, at_once: int = CORES) -> list[Any]:
    """Do `work` at each site, as many at once as there are cores, and return the results in order."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(work, sites))


def _file(layout: Layout) -> Path:
    return layout.demo / "world.json"
