"""The run's child: what it can reach, what it refuses, and that it ends with its coordinator."""

import os
import pickle
import select
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.training.backend_contract import SITES
from training.backends.substra.child_process import ChildLostError, ChildProcess

START = {
    "run": str(uuid.UUID(int=9)),
    "function": "sha256:" + "1" * 64,
    "sites": [str(site) for site in SITES],
    "resumes": "",
}


@pytest.fixture
def child(tmp_path: Path) -> Iterator[ChildProcess]:
    made = ChildProcess(tmp_path / "child", fence=3)
    yield made
    made.close()


def test_its_environment_names_no_secret(child, monkeypatch):
    child.send("start", START)
    assert child.receive()[0]["event"] == "ready"

    environment = Path(f"/proc/{child.pid}/environ").read_bytes().split(b"\0")
    names = {entry.split(b"=")[0].decode() for entry in environment if entry}

    assert names <= {
        "PATH", "HOME", "TMPDIR", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "TQDM_DISABLE", "OPENBLAS_NUM_THREADS",
    }  # fmt: skip


def test_a_message_of_another_fence_ends_it(child):
    child.send("start", START)
    assert child.receive()[0]["event"] == "ready"

    child._fence = 2
    child.send("settle", {})

    with pytest.raises(ChildLostError, match="of fence 2, this child of 3"):
        child.receive()


def test_a_message_that_is_none_ends_it(child):
    child.send("start", START)
    assert child.receive()[0]["event"] == "ready"

    child._process.stdin.write(b"\xff" * 12)
    child._process.stdin.flush()

    with pytest.raises(ChildLostError, match="larger than any of ours"):
        child.receive()


def test_an_unknown_operation_ends_it(child):
    child.send("start", START)
    child.send("dance", {})

    assert child.receive()[0]["event"] == "ready"
    with pytest.raises(ChildLostError, match="no operation 'dance'"):
        child.receive()


def test_nothing_is_unpickled_in_it(tmp_path):
    program = "import pickle, sys\nfrom training.backends.substra.child import forbid_unpickling\n"
    program += "forbid_unpickling()\npickle.loads(sys.stdin.buffer.read())"

    ended = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps(Path(tmp_path)), capture_output=True, check=False
    )

    assert ended.returncode == 1
    assert b"Nothing is unpickled in a run's child." in ended.stderr


COORDINATOR = """
import sys, time
from pathlib import Path
from training.backends.substra.child_process import ChildProcess
child = ChildProcess(Path(sys.argv[1]), fence=1)
print(child.pid, flush=True)
time.sleep(600)
"""


def test_it_ends_with_a_killed_coordinator(tmp_path):
    coordinator = subprocess.Popen([sys.executable, "-c", COORDINATOR, str(tmp_path / "child")], stdout=subprocess.PIPE)
    assert coordinator.stdout is not None
    with coordinator:
        hold = os.pidfd_open(int(coordinator.stdout.readline()))
        coordinator.send_signal(signal.SIGKILL)

    # A pidfd is readable once its process has ended.
    ended, _write, _error = select.select([hold], [], [], 30)
    os.close(hold)
    assert ended
