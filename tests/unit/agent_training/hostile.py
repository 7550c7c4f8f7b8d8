"""Plans' code that does what it must not; each answers with numbers that say how far it came."""

import ctypes
import errno
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.federated.algorithms.features import Row
from training.federated.plan_code import TrainTask, train

Vector = NDArray[np.float64]


def _number(act: Callable[[], object]) -> float:
    """Return 0 if the act succeeds, else its errno."""
    try:
        act()
    except OSError as error:
        return float(error.errno or -1)
    return 0.0


def _is_real(rows: Sequence[Row]) -> bool:
    """The helper warms up with two made-up rows, outside of every wall."""
    return len(rows) > 2


def reaches_out(task: TrainTask, rows: Sequence[Row]) -> Vector:
    """Try the network, the file of a key whose path is a column's value, processes, and more rights."""
    if not _is_real(rows):
        return train(task, rows)
    path = Path(str(rows[0]["path"]))
    libc = ctypes.CDLL(None, use_errno=True)
    os.closerange(0, 2)
    attempts = [
        lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        path.read_bytes,
        lambda: Path("/etc/passwd").read_bytes(),
        lambda: os.listdir("/"),
        os.fork,
        lambda: os.kill(int(str(rows[0]["process"])), signal.SIGKILL),
    ]
    ptrace = libc.ptrace(16, int(str(rows[0]["process"])), 0, 0)
    return np.array([*map(_number, attempts), float(ptrace), float(len(os.environ)), float(os.getuid())])


def hangs(task: TrainTask, rows: Sequence[Row]) -> Vector:
    if _is_real(rows):
        time.sleep(3600)
    return train(task, rows)


def gives_not_a_number(task: TrainTask, rows: Sequence[Row]) -> Vector:
    plain = train(task, rows)
    plain[0] = np.nan
    return plain


def answers_too_much(task: TrainTask, rows: Sequence[Row]) -> Vector:
    return np.zeros(1_000_000) if _is_real(rows) else train(task, rows)


def fails(task: TrainTask, rows: Sequence[Row]) -> Vector:
    if _is_real(rows):
        raise RuntimeError(f"record {rows[0]} should never be told")
    return train(task, rows)


def takes_memory(task: TrainTask, rows: Sequence[Row]) -> Vector:
    return np.ones(2**32) if _is_real(rows) else train(task, rows)


EMFILE, ENOSYS = errno.EMFILE, errno.ENOSYS
