"""What an earlier run left behind when it was killed: found by /proc, ended before a new start."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from consortium.embedded.tied import INSTANCE_VARIABLE

_STEPS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


def end_postgres_of(data: Path) -> int:
    """End servers that still work in `data`; return how many there were.

    PostgreSQL rewrites its environment and trusts any living process number in its
    own file, so it is found by working folder and program (a zombie has neither).
    """
    return _end(lambda: _working_in(data, "postgres"))


def end_programs_of(root: Path) -> int:
    """End every process that was started for the instance in `root`; return how many there were."""
    return _end(lambda: _marked_with(root))


def _end(find: Callable[[], list[int]]) -> int:
    found = len(find())
    for sign, seconds in _STEPS:
        if not (left := find()):
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        deadline = time.monotonic() + seconds
        while find() and time.monotonic() < deadline:
            time.sleep(0.05)
    return found


def _processes() -> Iterable[Path]:
    return (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _working_in(folder: Path, program: str) -> list[int]:
    found = []
    for entry in _processes():
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink() == folder and (entry / "exe").readlink().name == program:
                found.append(int(entry.name))
    return found


def _marked_with(root: Path) -> list[int]:
    mark = f"{INSTANCE_VARIABLE}={root}".encode()
    found = []
    for entry in _processes():
        with contextlib.suppress(OSError):
            if int(entry.name) != os.getpid() and mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found
