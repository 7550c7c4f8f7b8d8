"""The embedded services: started, repaired after a kill, refused with a remedy when they cannot start."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from consortium.embedded.chain_state import ChainState
from consortium.embedded.errors import DiskFullError, InstanceInUseError, PortInUseError, ServiceDiedError
from consortium.embedded.instance import ensure_free_space, ensure_port_free, hold
from consortium.embedded.layout import Layout, project_root
from consortium.embedded.supervisor import running_services
from consortium.embedded.tied import TiedProcess

KEEP_SERVING = """
import sys, time
from pathlib import Path
from consortium.embedded.layout import Layout, project_root
from consortium.embedded.supervisor import running_services
with running_services(Layout(Path(sys.argv[1]))) as instance:
    instance.start_program("sleeper", ["-c", "import time; time.sleep(600)"])
    print(" ".join(str(process.pid) for process in instance.processes), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def layout(monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    """An instance in the checkout, where the services' own unix users can reach it."""
    for name in ("DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "CHAIN_RPC_URL"):
        monkeypatch.delenv(name, raising=False)
    home = project_root() / ".local"
    home.mkdir(exist_ok=True)
    home.chmod(0o711)
    root = Path(tempfile.mkdtemp(prefix="t-", dir=home))
    yield Layout(root)
    shutil.rmtree(root)


def serve_in_child(layout: Layout) -> tuple[subprocess.Popen[str], list[int]]:
    child = subprocess.Popen([sys.executable, "-c", KEEP_SERVING, str(layout.root)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    return child, [int(pid) for pid in child.stdout.readline().split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pids: list[int], seconds: float = 15.0) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def wait_until(ready: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)


@pytest.mark.services
def test_nothing_outlives_a_killed_parent_and_the_next_start_repairs(layout):
    child, pids = serve_in_child(layout)
    assert len(pids) == 4
    with child:
        child.kill()

    assert wait_until_gone(pids) == []
    with running_services(layout) as instance:
        assert all(process.is_running() for process in instance.processes)


@pytest.mark.services
def test_an_orphaned_database_is_ended_and_its_data_kept(layout):
    """A kill between two signals can leave a server behind: it has to go before another may open its files."""
    with running_services(layout) as instance:
        assert instance.postgres is not None
        with psycopg.connect(instance.postgres.url("consilium_owner"), autocommit=True) as owner:
            owner.execute("CREATE TABLE kept (value int)")
            owner.execute("INSERT INTO kept VALUES (7)")
        command, account = instance.processes[0].arguments, instance.accounts.database()
    orphan = subprocess.Popen(
        [str(word) for word in command],
        cwd="/",
        user=account.uid,
        group=account.gid,
        extra_groups=None if account.uid is None else [],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin"},
    )
    with orphan:
        deadline = time.monotonic() + 10
        while not (layout.postgres / "postmaster.pid").exists() and time.monotonic() < deadline:
            time.sleep(0.02)

        with running_services(layout) as instance:
            assert wait_until_gone([orphan.pid]) == []
            assert instance.postgres is not None
            with psycopg.connect(instance.postgres.url("consilium_owner")) as owner:
                assert owner.execute("SELECT value FROM kept").fetchall() == [(7,)]


@pytest.mark.services
def test_the_database_lets_nobody_in_without_a_password_and_no_role_passes_the_wall(layout):
    with running_services(layout) as instance:
        assert instance.postgres is not None
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(f"postgres://postgres@/postgres?host={instance.postgres.sockets}")
        with psycopg.connect(instance.postgres.url("consilium_app")) as app:
            roles = app.execute(
                "SELECT rolname FROM pg_roles WHERE rolname LIKE 'consilium%' AND (rolsuper OR rolbypassrls)"
            )
            assert roles.fetchall() == []


@pytest.mark.services
def test_secrets_and_environment_files_are_readable_by_their_owner_alone(layout):
    with running_services(layout):
        files = [*layout.secrets.iterdir(), *(layout.root / "environment").iterdir(), layout.platform / "oidc.pem"]

        assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
        assert oct(layout.secrets.stat().st_mode & 0o777) == "0o700"
        assert oct(layout.platform.stat().st_mode & 0o777) == "0o700"


@pytest.mark.services
def test_a_killed_chain_comes_back_by_itself_also_from_half_a_file(layout):
    """anvil writes its state in place: a kill in the middle of a write leaves a file that it would not start on."""
    with running_services(layout) as instance:
        chain = next(process for process in instance.processes if process.name == "anvil")
        state = ChainState(layout.chain, instance.accounts.platform())
        wait_until(state.copy.exists)
        os.kill(chain.pid, signal.SIGSTOP)
        state.file.write_text(state.file.read_text()[:-100])
        before = chain.pid

        chain.kill()

        wait_until(lambda: chain.is_running() and chain.pid != before)
        wait_until(lambda: block_number(instance.addresses.chain) is not None)
        assert instance.dead() == []


def block_number(url: str) -> int | None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
    try:
        return int(httpx.post(url, json=body, trust_env=False).json()["result"], 16)
    except httpx.TransportError:
        return None


def test_a_second_start_in_the_same_folder_is_refused_by_name_of_the_first(layout):
    with hold(layout), pytest.raises(InstanceInUseError, match=str(os.getpid())), hold(layout):
        pass


def test_the_lock_is_free_again_after_a_kill(layout):
    program = "import sys,time; from pathlib import Path; from consortium.embedded.layout import Layout\n"
    program += "from consortium.embedded.instance import hold\n"
    program += "with hold(Layout(Path(sys.argv[1]))): print('held', flush=True); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", program, str(layout.root)], stdout=subprocess.PIPE, text=True)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        child.send_signal(signal.SIGKILL)
    with hold(layout):
        pass


def test_a_port_in_use_is_refused_with_the_option_that_chooses_another():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(PortInUseError, match="--port N"):
            ensure_port_free(listener.getsockname()[1], option="--port N")


def test_a_disk_that_is_nearly_full_is_refused_before_anything_is_written(layout, monkeypatch):
    monkeypatch.setattr("consortium.embedded.instance.MINIMUM_FREE_BYTES", 2**62)

    with pytest.raises(DiskFullError, match="--fresh"):
        ensure_free_space(layout)
    assert list(layout.root.iterdir()) == []


def test_a_program_that_ends_while_starting_is_named_with_the_end_of_its_log(tmp_path):
    process = TiedProcess(
        name="crasher",
        arguments=[sys.executable, "-c", "raise SystemExit('the reason')"],
        log=tmp_path / "crasher.log",
        environment={},
    ).start()

    with pytest.raises(ServiceDiedError, match="the reason"):
        process.wait_until(lambda: False, seconds=20)


def test_a_program_that_ignores_the_request_to_end_is_ended(tmp_path):
    program = "import signal, time; signal.signal(15, lambda *a: None); print('deaf', flush=True); time.sleep(600)"
    process = TiedProcess(
        name="deaf", arguments=[sys.executable, "-c", program], log=tmp_path / "deaf.log", environment={}
    ).start()
    process.wait_until(lambda: "deaf" in process.log_tail())

    process.stop(seconds=0.2)
    assert not process.is_running()
