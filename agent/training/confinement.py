"""What the kernel takes away from a process before it runs a plan's code (Linux; man 2 prctl, unshare, setrlimit).

Three walls, each standing alone. No process can open a file or a socket any more: its limit of descriptors is zero,
and no one but the machine's root may raise it. Where namespaces are allowed it has a network without interfaces, an
empty root folder that is already deleted, and no process of the machine in sight. Where the agent is root the code
runs as another user.
"""

import ctypes
import os
import resource
import tempfile
from dataclasses import asdict, dataclass

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_SIGKILL = 9
_NEW_MOUNTS, _NEW_NAMES, _NEW_IPC = 0x00020000, 0x04000000, 0x08000000
_NEW_USER, _NEW_PROCESSES, _NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
_CAPABILITY_VERSION_3 = 0x20080522
# The user of plans' code where the agent is root; free on distributions, like the users of the embedded sites.
RUNNER_UID = 61_500
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Confinement:
    """Which walls stand besides the limits, which always do."""

    network: bool
    files: bool
    processes: bool
    user: bool

    def to_json(self) -> dict[str, bool]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run of a plan's code may use: memory in bytes, processor time in seconds."""

    memory_bytes: int
    seconds: int


def confine_helper() -> Confinement:
    """Move this process into namespaces of its own and into an empty root; call with one thread, imports done.

    Returns in a child where processes have a namespace: only there it counts.
    """
    flags = _NEW_MOUNTS | _NEW_NAMES | _NEW_IPC | _NEW_PROCESSES | _NEW_NETWORK
    if os.geteuid() != 0:
        flags |= _NEW_USER
    is_apart = _LIBC.unshare(flags) == 0
    if is_apart and (first := os.fork()) != 0:
        os.waitpid(first, 0)
        os._exit(0)
    return Confinement(is_apart, _enter_empty_root(), is_apart, os.geteuid() == 0)


def confine_code(limits: Limits) -> None:
    """Give up in this process what a plan's code has no use for; nothing of it can be taken back.

    Raises
    ------
    OSError
        If one of the walls does not stand: then no code may run.
    """
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(RUNNER_UID, RUNNER_UID, RUNNER_UID)
        os.setresuid(RUNNER_UID, RUNNER_UID, RUNNER_UID)
    _drop_capabilities()
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)
    # After the change of user, which clears it.
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(kind, (value, value))


def keep_memory_private() -> None:
    """Let no other process of this user read this one's memory, where its keys are; core dumps included."""
    _prctl(_PR_SET_DUMPABLE, 0)


def _enter_empty_root() -> bool:
    """Make a folder that nobody can put anything into, deleted as it is, the root of this process."""
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    os.rmdir(folder)
    try:
        os.chroot(".")
    except OSError:
        os.chdir("/")
        return False
    return True


def _drop_capabilities() -> None:
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _require(_LIBC.capset(header, (ctypes.c_uint32 * 6)()))


def _prctl(option: int, value: int) -> None:
    _require(_LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def _require(answer: int) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
