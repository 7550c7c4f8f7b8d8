"""Celery's programs show that they live by a file, which costs a probe nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from consortium.embedded.layout import project_root

pytestmark = pytest.mark.services
_WORKER = ("worker", "-Q", "heartbeats", "-c", "1", "--without-gossip", "--without-mingle")


def _wait_until(ready: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)


@pytest.mark.parametrize("kind", ["worker", "beat"])
def test_a_program_of_celery_touches_its_file_as_long_as_it_works(kind, tmp_path):
    """The clock is given no database: it asks none."""
    sign = tmp_path / "heartbeat"
    database = os.environ["DATABASE_URL"] if kind == "worker" else "postgres://nobody@127.0.0.1:1/none"
    arguments = _WORKER if kind == "worker" else ("beat", "--schedule", str(tmp_path / "schedule"), "--pidfile=")
    program = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "consortium.celery", *arguments],
        env=os.environ
        | {
            "HEARTBEAT_FILE": str(sign),
            "DATABASE_URL": database,
            "OIDC_PRIVATE_KEY_FILE": os.devnull,
            # A part of the broker that no other test looks at.
            "CELERY_BROKER_URL": f"{os.environ['CELERY_BROKER_URL'][:-1]}9",
        },
        cwd=project_root(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until(sign.exists)
        first = sign.stat().st_mtime_ns
        _wait_until(lambda: sign.stat().st_mtime_ns > first)
    finally:
        program.send_signal(signal.SIGTERM)
        program.wait(30)
    assert sign.read_text() == "working\n"
