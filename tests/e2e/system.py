"""The whole system, running: its programs to be stopped and killed, its database and chain to be asked."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import psycopg

from consortium.demo.portal import Visitor
from consortium.demo.sites import Site
from consortium.demo.world import World
from consortium.embedded.environment import platform_environment
from consortium.embedded.tied import TiedProcess
from consortium.kernel.identifiers import bytes32_to_uuid
from contracts.events import ChainEvent, ContractReference
from contracts.gateway import Gateway

T = TypeVar("T")
# Nothing here is measured: a machine with two cores that others use is let be slow.
PATIENCE_SECONDS = 240.0
LEDGER = "TrainingLedger"


@dataclass
class System:
    """A founded consortium with consents and data sets, and an approved plan that covers several runs."""

    world: World
    plan: dict[str, Any]
    database: psycopg.Connection[dict[str, Any]]
    chain: Gateway
    # The chain's head when a run was asked for.
    heads: dict[str, int] = field(default_factory=dict)

    def start_run(self) -> str:
        """Start a run of the plan, as its author."""
        head = self.chain.head().number
        with self.author() as scientist:
            path = f"consortia/{self.world.consortium['id']}/runs"
            answer = scientist.post(path, {"plan": self.plan["id"], "backend": "memory"})
        assert answer.status_code == 202, answer.text
        run: str = answer.json()["id"]
        self.heads[run] = head
        return run

    def author(self) -> Visitor:
        return self.world.admin(self.world.sites[0])

    def end_of(self, run: str) -> dict[str, Any]:
        """Wait until the run has ended, and return it as the API shows it."""
        self.wait_for(lambda: self.value("SELECT state FROM training_run WHERE id = %s", run) in ENDED)
        with self.author() as scientist:
            found: dict[str, Any] = scientist.get(f"runs/{run}")
        return found

    def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        return self.database.execute(query, parameters).fetchall()

    def value(self, query: str, *parameters: object) -> Any:
        """The one value of the first row, None if there is no row."""
        row = self.database.execute(query, parameters).fetchone()
        return None if row is None else next(iter(row.values()))

    def events(self, run: str) -> list[ChainEvent]:
        """The run's events as the chain has them now."""
        found = self.chain.logs([self.ledger()], self.heads[run], self.chain.head().number)
        return [event for event in found if bytes32_to_uuid(event.arguments["run"]) == UUID(run)]

    def ledger(self) -> ContractReference:
        address = self.value("SELECT address FROM contracts_contractdeployment WHERE name = %s", LEDGER)
        return ContractReference(LEDGER, address)

    def process(self, name: str) -> TiedProcess:
        return next(process for process in reversed(self.world.instance.processes) if process.name == name)

    def agent(self, site: Site) -> TiedProcess:
        return self.process(f"site-{site.hospital.slug}")

    def wait_for(self, ready: Callable[[], T | None]) -> T:
        """Ask until there is an answer that is true; the programs that were given up are named if there is none."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := ready()):
            given_up = [(process.name, process.log_tail()) for process in self.world.instance.dead()]
            assert not given_up
            assert time.monotonic() < deadline, "it did not come to pass in time"
            time.sleep(0.02)
        return found

    def catch(self, process: TiedProcess, moment: Callable[[], T | None]) -> T:
        """Stop the process at a moment that the database still shows once it is stopped; return what it showed."""
        while True:
            self.wait_for(moment)
            freeze(process)
            if found := moment():
                return found
            thaw(process)

    @contextmanager
    def dispatcher_on(self, url: str) -> Iterator[TiedProcess]:
        """Let the dispatcher reach the chain at another address for a while."""
        instance = self.world.instance
        environment = platform_environment(instance.layout, instance.credentials, instance.addresses, "system")
        usual, command = self.process("dispatcher"), ["manage.py", "dispatch"]
        usual.stop()
        other = instance.start_program("dispatcher", command, environment=environment | {"CHAIN_RPC_URL": url})
        try:
            yield other
        finally:
            other.stop()
            usual.start()


ENDED = ("completed", "failed", "canceled")


def freeze(process: TiedProcess) -> None:
    """Stop the process and what it has started, where they are."""
    os.killpg(process.pid, signal.SIGSTOP)
    wait_for_state(process.pid, "T")


def thaw(process: TiedProcess) -> None:
    os.killpg(process.pid, signal.SIGCONT)


def kill(process: TiedProcess) -> int:
    """End the process and what it has started as a failing machine would, and return its number."""
    pid = process.pid
    os.killpg(pid, signal.SIGKILL)
    return pid


def wait_for_state(pid: int, state: str) -> None:
    while _state(pid) != state:
        time.sleep(0.001)


def _state(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def named(events: Sequence[ChainEvent], name: str) -> list[ChainEvent]:
    return [event for event in events if event.name == name]
