"""The agent's hold on the process that plans' code runs in."""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from agent.training.confinement import Confinement, Limits
from agent.training.errors import RunnerError, RunnerStoppedError
from agent.training.runner_messages import read_reply, warm_up_request

PLAN_CODE = "training.federated.plan_code:train"
MEMORY_BYTES = 4 * 1024**3
START_SECONDS = 60.0
END_SECONDS = 5.0
_SIGHT_SECONDS = 0.1
_PIECE = 64 * 1024
_ROOT = Path(__file__).parents[2]
_T = TypeVar("_T")


def environment() -> dict[str, str]:
    """Return all that the helper is told: one thread, since with more it could neither fork nor enter a namespace."""
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**threads, "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


class RunnerProcess:
    """Starts the helper once and has plans' code run in children of it, several at a time.

    Parameters
    ----------
    code : str
        `module:function` of the plan's code; another one in tests alone.
    """

    def __init__(self, *, code: str = PLAN_CODE, memory_bytes: int = MEMORY_BYTES) -> None:
        self._code = code
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._helper: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._confinement: Confinement | None = None

    def start(self) -> None:
        """Start the helper without waiting for it; do so before a key is opened."""
        with self._lock:
            self._start()

    def confinement(self) -> Confinement:
        """Return which walls stand, once the helper is ready; `RunnerError` if it does not start."""
        with self._lock:
            self._ready()
            return _require(self._confinement)

    def run(self, request: bytes, *, reply_bytes: int, seconds: float, canceled: threading.Event) -> bytes:
        """Have the code run once and return its plain bytes.

        Raises
        ------
        RunnerStoppedError
            If it did not end in time or the work was called off; it is dead then.
        CodeRefusedError, RunnerError
            If it refused, failed, or answered more than `reply_bytes`.
        """
        request_end, request_write = os.pipe()
        reply_read, reply_end = os.pipe()
        try:
            hold = self._fork([request_end, reply_end], Limits(self._memory_bytes, max(int(seconds) + 1, 1)))
        finally:
            os.close(request_end)
            os.close(reply_end)
        exchange = _Exchange(request_write, reply_read, request, reply_bytes + 1)
        try:
            return read_reply(exchange.finish(time.monotonic() + seconds, canceled))
        finally:
            exchange.close()
            if hold is not None:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(hold, signal.SIGKILL)
                os.close(hold)

    def close(self) -> None:
        """End the helper and with it whatever still runs."""
        with self._lock:
            self._stop()

    def _fork(self, descriptors: list[int], limits: Limits) -> int | None:
        """Ask for a child and return a hold on it; None if it has ended already."""
        with self._lock:
            message = json.dumps({"memory_bytes": limits.memory_bytes, "seconds": limits.seconds}).encode()
            try:
                channel = self._ready()
                socket.send_fds(channel, [message], descriptors)
                answer, holds, _flags, _address = socket.recv_fds(channel, 16, 1)
            except OSError as error:
                self._stop()
                raise RunnerError("The helper that runs plans' code has ended. It is started again.") from error
            if not answer:
                self._stop()
                raise RunnerError("The helper that runs plans' code has ended. It is started again.")
            return holds[0] if holds else None

    def _ready(self) -> socket.socket:
        if self._helper is None or self._helper.poll() is not None:
            self._stop()
            self._start()
        channel = _require(self._channel)
        if self._confinement is None:
            greeting = channel.recv(256)
            if not greeting:
                self._stop()
                raise RunnerError("The helper that runs plans' code does not start.")
            self._confinement = Confinement(**json.loads(greeting))
        return channel

    def _start(self) -> None:
        if self._helper is not None:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(START_SECONDS)
        with theirs:
            self._helper = subprocess.Popen(
                [sys.executable, "-m", "agent.training.runner_helper", str(theirs.fileno()), self._code],
                pass_fds=[theirs.fileno()],
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        pipe = _require(self._helper.stdin)
        with suppress(BrokenPipeError), pipe:
            pipe.write(warm_up_request())
        self._channel, self._confinement = ours, None

    def _stop(self) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._helper is not None:
            # It ends by itself once nobody asks it any more, and takes its children along.
            try:
                self._helper.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._helper.kill()
                self._helper.wait()
        self._helper = self._channel = self._confinement = None


class _Exchange:
    """Writes a request into one pipe and reads the answer from another, whichever goes on."""

    def __init__(self, request: int, reply: int, content: bytes, most_bytes: int) -> None:
        self._request, self._reply = request, reply
        self._left = memoryview(content)
        self._most = most_bytes
        self._answer = bytearray()
        self._selector = selectors.DefaultSelector()
        for descriptor, events in ((request, selectors.EVENT_WRITE), (reply, selectors.EVENT_READ)):
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, events)

    def finish(self, deadline: float, canceled: threading.Event) -> bytes:
        """Return the whole answer, once the other side has closed its end."""
        while time.monotonic() < deadline and not canceled.is_set():
            for key, _events in self._selector.select(min(_SIGHT_SECONDS, max(deadline - time.monotonic(), 0))):
                if key.fd == self._request:
                    self._write()
                elif self._read():
                    return bytes(self._answer)
        raise RunnerStoppedError("The plan's code was ended: its time was over, or the work was called off.")

    def close(self) -> None:
        self._selector.close()
        for descriptor in {self._request, self._reply} - {-1}:
            os.close(descriptor)

    def _write(self) -> None:
        try:
            self._left = self._left[os.write(self._request, self._left[:_PIECE]) :]
        except BrokenPipeError:
            # It ended before it read everything; what it answered, if anything, says why.
            self._left = self._left[:0]
        if not self._left:
            self._selector.unregister(self._request)
            os.close(self._request)
            self._request = -1

    def _read(self) -> bool:
        """Take what is there; True at the end."""
        piece = os.read(self._reply, _PIECE)
        self._answer += piece
        if len(self._answer) > self._most:
            raise RunnerError("The plan's code answered more than the plan's vector.")
        return not piece


def _require(value: _T | None) -> _T:
    if value is None:
        raise RunnerError("The helper that runs plans' code is not running.")
    return value
