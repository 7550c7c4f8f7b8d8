"""One instance at a time in a folder: the lock, the room on disk, the ports."""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from consortium.embedded.errors import DiskFullError, InstanceInUseError, PortInUseError
from consortium.embedded.layout import Layout

# A fresh database, the chain's state and a story's files take about 150 MB.
MINIMUM_FREE_BYTES = 300 * 2**20


@contextmanager
def hold(layout: Layout) -> Iterator[None]:
    """Hold the instance's lock; the kernel drops it when the process dies, however it dies."""
    layout.root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 32, 0).decode().strip() or "unknown"
            raise InstanceInUseError(
                f"Process {owner} already runs this instance ({layout.root}). Stop it with Ctrl-C, or end it with "
                f"`kill {owner}`, then start again.",
                process=owner,
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def ensure_free_space(layout: Layout) -> None:
    """Refuse to start on a disk that would fill up in the middle of a story."""
    layout.root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(layout.root).free
    if free < MINIMUM_FREE_BYTES:
        raise DiskFullError(
            f"{layout.root} has {free // 2**20} MB left and {MINIMUM_FREE_BYTES // 2**20} MB are needed. "
            "Free some room, or remove what an earlier run kept with `make demo ARGS=--fresh`.",
            free_bytes=free,
        )


def free_port() -> int:
    """A port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ensure_port_free(port: int, *, option: str) -> None:
    """Refuse a port that somebody listens on, naming the option that chooses another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise PortInUseError(
                f"Port {port} on 127.0.0.1 is in use. Stop the program that listens there, or choose another port "
                f"with {option}.",
                port=port,
            ) from None
