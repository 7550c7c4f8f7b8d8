"""Child processes that do not outlive their parent, and end in order when it ends in order."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from consortium.embedded.accounts import Account
from consortium.embedded.errors import ServiceDiedError

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
INSTANCE_VARIABLE = "CONSILIUM_INSTANCE"
LOG_TAIL_BYTES = 1_500


def _tie(parent: int, sign: signal.Signals) -> Callable[[], None]:
    """Run in the child after its user is set: the kernel forgets the wish at a change of user."""

    def tie() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(sign))
        if os.getppid() != parent:
            os._exit(1)

    return tie


@dataclass
class TiedProcess:
    """A direct child with a log file; it gets `death_signal` when this process dies."""

    name: str
    arguments: Sequence[str | Path]
    log: Path
    environment: Mapping[str, str]
    account: Account = field(default_factory=Account)
    folder: Path = Path("/")
    death_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None
    # Between `start` and `stop`: an end in between was not asked for.
    is_wanted: bool = False

    def start(self) -> "TiedProcess":
        """Start the child, from a thread that lives as long as it: the tie is to the thread that forks."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(argument) for argument in self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=dict(self.environment),
                start_new_session=True,
                preexec_fn=_tie(os.getpid(), self.death_signal),
                user=self.account.uid,
                group=self.account.gid,
                extra_groups=None if self.account.uid is None else [],
                umask=0o077,
            )
        # Not before: whoever keeps it running must not take the last process's end for this one's.
        self.is_wanted = True
        return self

    @property
    def pid(self) -> int:
        if self.process is None:
            raise ServiceDiedError(f"{self.name} was not started.")
        return self.process.pid

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = 30.0, pause: float = 0.02) -> None:
        """Wait for `ready`; raise with the end of the log if the child dies or time runs out."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.is_running():
                raise ServiceDiedError(f"{self.name} ended while starting. Its log {self.log} ends:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise ServiceDiedError(
                    f"{self.name} was not ready after {seconds:.0f} s. Its log {self.log} ends:\n{self.log_tail()}"
                )
            time.sleep(pause)

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return None if self.process is None else self.process.poll()

    def how_it_ended(self) -> str:
        """The status in words."""
        status = self.status
        if status is None:
            return "is running"
        return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"

    def wait(self) -> int:
        """Wait for the child's own end and return its status."""
        if self.process is None:
            raise ServiceDiedError(f"{self.name} was not started.")
        return self.process.wait()

    def stop(self, *, sign: signal.Signals | None = None, seconds: float = 10.0) -> None:
        """Ask the child to end, and end it after `seconds`, with all that it started in its session."""
        self.is_wanted = False
        if self.process is None:
            return
        if self.is_running():
            self._signal(sign or self.death_signal)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self.process.wait()
        self.end_session()

    def end_session(self) -> None:
        """End what the child has left behind in its session."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the child without warning."""
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def log_tail(self) -> str:
        if not self.log.exists():
            return "(empty)"
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")

    def _signal(self, sign: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, sign)
