"""Starts the embedded services and the platform's programs in order, watches them, and stops them in reverse."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from consortium.embedded.accounts import Account, Accounts, choose_accounts
from consortium.embedded.anvil import EmbeddedChain
from consortium.embedded.credentials import Credentials
from consortium.embedded.environment import (
    Addresses,
    base_environment,
    ensure_oidc_key,
    platform_environment,
    write_environment_files,
)
from consortium.embedded.errors import EmbeddedError
from consortium.embedded.instance import ensure_free_space, free_port, hold
from consortium.embedded.keeper import Keeper
from consortium.embedded.layout import Layout, project_root
from consortium.embedded.leftovers import end_programs_of
from consortium.embedded.postgres import EmbeddedPostgres
from consortium.embedded.tied import TiedProcess
from consortium.embedded.valkey import EmbeddedValkey


@dataclass
class Instance:
    """A running set of services; `start_program` adds one of the programs, which is kept running."""

    layout: Layout
    accounts: Accounts
    credentials: Credentials
    addresses: Addresses
    postgres: EmbeddedPostgres | None = None
    processes: list[TiedProcess] = field(default_factory=list)
    ended_leftovers: int = 0
    keeper: Keeper = field(init=False)

    def __post_init__(self) -> None:
        self.keeper = Keeper(self.layout.logs / "supervisor.log")

    def start_program(
        self,
        name: str,
        arguments: list[str],
        *,
        role: str = "app",
        account: Account | None = None,
        environment: dict[str, str] | None = None,
        folder: Path | None = None,
        final: frozenset[int] = frozenset(),
    ) -> TiedProcess:
        """Start `python ARGUMENTS` as the platform, or as `account` with `environment` and none of the platform's.

        Such a program holds nothing that is not in the database, on the chain or in its folder. So it is started
        again when it ends by itself, unless with a status of `final`.
        """
        process = self._start(name, arguments, role=role, account=account, environment=environment, folder=folder)
        self.processes.append(process)
        self.keeper.keep(process, final=final)
        return process

    def _start(
        self,
        name: str,
        arguments: list[str],
        *,
        role: str,
        account: Account | None = None,
        environment: dict[str, str] | None = None,
        folder: Path | None = None,
    ) -> TiedProcess:
        own = (
            platform_environment(self.layout, self.credentials, self.addresses, role)
            if environment is None
            else environment
        )
        return TiedProcess(
            name=name,
            arguments=[sys.executable, *arguments],
            log=self.layout.logs / f"{name}.log",
            environment=base_environment(self.layout) | own,
            account=account or self.accounts.platform(),
            folder=folder or project_root(),
        ).start()

    def manage(self, *arguments: str, role: str = "app") -> str:
        """Run one `manage.py` command to its end and return what it printed; raise with its output if it fails."""
        return self._run_to_end(f"manage-{arguments[0]}", ["manage.py", *arguments], role)

    def run_program(self, name: str, module: str, *arguments: str, role: str = "system") -> str:
        """Run a module of the platform to its end and return what it printed."""
        return self._run_to_end(name, ["-m", module, *arguments], role)

    def _run_to_end(self, name: str, arguments: list[str], role: str) -> str:
        log = self.layout.logs / f"{name}.log"
        start = log.stat().st_size if log.exists() else 0
        process = self._start(name, arguments, role=role)
        if process.wait() != 0:
            raise EmbeddedError(f"{' '.join(arguments)} failed:\n{process.log_tail()}")
        return log.read_bytes()[start:].decode()

    def dead(self) -> list[TiedProcess]:
        """What has ended and is not started again."""
        return [p for p in self.processes if not p.is_running() and not self.keeper.looks_after(p)]

    def stop(self) -> None:
        self.keeper.rest()
        for process in reversed(self.processes):
            process.stop()
        self.keeper.close()


@contextmanager
def running_services(layout: Layout, *, web_port: int = 8000, chain_port: int | None = None) -> Iterator[Instance]:
    """Hold the instance, repair what an earlier run left, start database, broker and chain; stop all at the end.

    A service whose address stands in the environment (`DATABASE_URL`, `CELERY_BROKER_URL`,
    `CHAIN_RPC_URL`) is used as it is and not started.
    """
    ensure_free_space(layout)
    with hold(layout):
        instance = _prepare(layout)
        try:
            _start_services(instance, web_port, chain_port)
            write_environment_files(layout, instance.credentials, instance.addresses)
            yield instance
        finally:
            instance.stop()


def _prepare(layout: Layout) -> Instance:
    accounts = choose_accounts(project_root())
    layout.root.chmod(0o711)
    layout.secrets.mkdir(mode=0o700, exist_ok=True)
    accounts.platform().own(layout.platform, 0o700)
    ensure_oidc_key(layout.platform / "oidc.pem", accounts.platform())
    credentials = Credentials(layout)
    addresses = Addresses(database={}, broker="", cache="", chain="")
    instance = Instance(layout, accounts, credentials, addresses)
    instance.ended_leftovers = end_programs_of(layout.root)
    return instance


def _start_services(instance: Instance, web_port: int, chain_port: int | None) -> None:
    layout, accounts = instance.layout, instance.accounts
    environment = base_environment(layout)
    database = _database_from_environment()
    if database is None:
        instance.postgres = EmbeddedPostgres(layout, accounts.database(), instance.credentials)
        instance.processes.append(instance.postgres.start())
        database = {role: instance.postgres.url(f"consilium_{role}") for role in ("app", "system", "owner")}
    broker, cache = os.environ.get("CELERY_BROKER_URL"), os.environ.get("CACHE_URL")
    if broker is None or cache is None:
        valkey = EmbeddedValkey(layout, accounts.platform(), environment)
        instance.processes.append(valkey.start())
        broker, cache = valkey.url(), valkey.cache_url()
    chain = os.environ.get("CHAIN_RPC_URL")
    if chain is None:
        embedded = EmbeddedChain(layout, accounts.platform(), chain_port or free_port(), environment)
        process = embedded.start()
        instance.processes.append(process)
        instance.keeper.keep(process, prepare=embedded.state.mend, tend=embedded.state.keep_copy)
        chain = embedded.url
    public = os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{web_port}")
    instance.addresses = Addresses(database=database, broker=broker, cache=cache, chain=chain, public=public)


def _database_from_environment() -> dict[str, str] | None:
    if (app := os.environ.get("DATABASE_URL")) is None:
        return None
    return {
        "app": app,
        "system": os.environ.get("DATABASE_SYSTEM_URL", app),
        "owner": os.environ.get("DATABASE_OWNER_URL", app),
    }


def interrupt_on_terminate() -> None:
    """Let SIGTERM end the parent as Ctrl-C does, so that children are stopped in order."""

    def interrupt(sign: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
