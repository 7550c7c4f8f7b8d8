"""The platform's own programs beside a node of one-second blocks, as production runs them; and how far acts are."""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg

from benchmarks._usage import Usage, usage
from benchmarks.harness.running import ROOT

if TYPE_CHECKING:
    from consortium.embedded.postgres import EmbeddedPostgres
    from consortium.embedded.tied import TiedProcess
    from contracts.gateway import Gateway
    from tests.chain.anvil import Anvil

# How exactly a moment is seen: often enough for blocks of a second, seldom enough to cost nothing.
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 300.0
_PROJECTED = (
    "SELECT count(*) FROM contracts_chaineventrecord JOIN contracts_appliedmark AS mark USING (consortium_id) "
    "WHERE consortium_id = %s AND name = 'CheckpointAnchored' "
    "AND (contracts_chaineventrecord.block_number, contracts_chaineventrecord.log_index) "
    "<= (mark.block_number, mark.log_index)"
)
_ACTIVE = "SELECT count(*) FROM membership_membership WHERE consortium_id = %s AND status = 'active'"
_CONFIRMED = "SELECT id FROM consent_{} WHERE consortium_id = %s AND chain_state = 'confirmed'"
_BEGUN = (
    "SELECT extract(epoch FROM min(submitted_at)) FROM contracts_outboxtransaction "
    "WHERE consortium_id = %s AND position >= %s AND submitted_at IS NOT NULL"
)


@contextmanager
def node_of_one_second() -> Iterator[tuple["Anvil", "Gateway"]]:
    """A node that mines at once until it is told to make a block a second: foundings are not what is measured."""
    from contracts.gateway import Gateway
    from tests.chain.anvil import Anvil

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        node = Anvil(Path(folder)).start()
        try:
            yield node, Gateway([node.url], chain_id=node.chain_id, timeout_seconds=60)
        finally:
            node.stop()


def make_blocks_each_second(node: "Anvil") -> None:
    node.ask("evm_setAutomine", False)
    node.ask("evm_setIntervalMining", 1)


def mine_at_once(node: "Anvil") -> None:
    node.ask("evm_setIntervalMining", 0)
    node.ask("evm_setAutomine", True)


@dataclass
class Platform:
    """`manage.py dispatch` and `manage.py project`, each a process with the system's own login."""

    postgres: "EmbeddedPostgres"
    node: "Anvil"
    folder: Path
    keys: Sequence[Path]
    programs: dict[str, "TiedProcess"] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        from consortium.embedded.tied import TiedProcess

        settings = {
            **{"DATABASE_URL": self.postgres.url("consilium_system"), "CHAIN_RPC_URL": self.node.url},
            **{"DJANGO_SETTINGS_MODULE": "consortium.settings.development"},
            **{"RELAY_KEY_FILE": ",".join(map(str, self.keys))},
        }
        for name in names:
            self.programs[name] = TiedProcess(
                name=name,
                arguments=[sys.executable, ROOT / "manage.py", name],
                log=self.folder / f"{name}.log",
                environment=os.environ | settings,
                folder=ROOT,
            ).start()

    def stop(self, *names: str) -> None:
        for name in names or tuple(self.programs):
            self.programs.pop(name).stop()

    def usage(self) -> Usage:
        """Processor seconds so far, the node's and the database's among them."""
        named = {name: program.pid for name, program in self.programs.items()}
        if self.postgres.process is None or self.node.process is None:
            raise RuntimeError("database or node was not started")
        return usage(named | {"PostgreSQL": self.postgres.process.pid, "node": self.node.process.pid})

    def ensure_running(self) -> None:
        for name, program in self.programs.items():
            if not program.is_running():
                raise RuntimeError(f"{name} {program.how_it_ended()}: {program.log_tail()}")


class Watch:
    """Sees when things became true, in a thread of its own; `look` returns what is true by now."""

    def __init__(self, look: Callable[[], Sequence[Any]]) -> None:
        self.look = look
        self.seen: dict[Any, float] = {}
        self._stop = threading.Event()
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for(self, names: Sequence[Any], *, seconds: float = PATIENCE_SECONDS) -> dict[Any, float]:
        """The moments at which all of these were seen first."""
        deadline = time.perf_counter() + seconds
        while missing := set(names) - self.seen.keys():
            if self._fault is not None:
                raise self._fault
            if time.perf_counter() > deadline:
                raise RuntimeError(f"{len(missing)} of {len(names)} were not seen within {seconds:.0f} s")
            time.sleep(LOOK_SECONDS)
        return {name: self.seen[name] for name in names}

    def _run(self) -> None:
        try:
            while not self._stop.wait(LOOK_SECONDS):
                now_true = self.look()
                now = time.perf_counter()
                for name in now_true:
                    self.seen.setdefault(name, now)
        except Exception as fault:  # noqa: BLE001  raised where it is waited for
            self._fault = fault


@contextmanager
def confirmed_rows(postgres: "EmbeddedPostgres", consortium_id: UUID, table: str) -> Iterator[Watch]:
    """Watches which rows of `consent_TABLE` the projector has confirmed, over a connection of its own."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        statement = _CONFIRMED.format(table).encode()

        def look() -> list[UUID]:
            return [row for (row,) in connection.execute(statement, [consortium_id])]

        with Watch(look) as watch:
            yield watch


def members_known(platform: Platform, consortium_id: UUID, number: int) -> None:
    """Wait until the projector has seen the founding: services know members and keys from the chain alone."""
    with psycopg.connect(platform.postgres.url("postgres"), autocommit=True) as connection:
        _wait_for(platform, lambda: _number(connection, _ACTIVE, [consortium_id]), at_least=number)


def first_signed(platform: Platform, consortium_id: UUID, position: int) -> float:
    """Wait until the first act from this position of the outbox on is signed; return the time of that."""
    with psycopg.connect(platform.postgres.url("postgres"), autocommit=True) as connection:
        return _wait_for(platform, lambda: _number(connection, _BEGUN, [consortium_id, position]), at_least=1.0)


def all_projected(platform: Platform, consortium_id: UUID, count: int) -> float:
    """Wait until so many checkpoints of the consortium are projected; return the time, by PostgreSQL's clock."""
    with psycopg.connect(platform.postgres.url("postgres"), autocommit=True) as connection:
        _wait_for(platform, lambda: _number(connection, _PROJECTED, [consortium_id]), at_least=count)
        return _number(connection, "SELECT extract(epoch FROM clock_timestamp())", [])


def _wait_for(platform: Platform, look: Callable[[], float], *, at_least: float) -> float:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) < at_least:
        platform.ensure_running()
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {found:,.0f} of {at_least:,.0f} after {PATIENCE_SECONDS:.0f} s")
        time.sleep(5 * LOOK_SECONDS)
    return found


def _number(connection: "psycopg.Connection[Any]", statement: str, parameters: Sequence[Any]) -> float:
    (found,) = connection.execute(statement.encode(), parameters).fetchone() or (0,)
    return float(found or 0)
