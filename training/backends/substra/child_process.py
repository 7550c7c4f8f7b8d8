"""The coordinator's hold on its run's child."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from training.backends.substra.messages import MessageError, read_message, write_message

ANSWER_SECONDS = 120.0
END_SECONDS = 5.0
_LOG_CHARACTERS = 2_000
_ROOT = Path(__file__).parents[3]


class ChildLostError(Exception):
    """The child ended, or does not answer.

    Not a refusal of anybody's: the coordinator that meets it lets go of the run, and the next one goes on
    with a child of its own.
    """


class ChildProcess:
    """One child with a folder of its own, which is deleted with it.

    Parameters
    ----------
    folder : Path
        Must not exist; the child's working directory.
    """

    def __init__(self, folder: Path, *, fence: int) -> None:
        folder.mkdir(parents=True, mode=0o700)
        self._folder = folder
        self._fence = fence
        self._events: SimpleQueue[tuple[dict[str, Any], bytes] | None] = SimpleQueue()
        (folder / "tmp").mkdir()
        with (folder / "child.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "training.backends.substra.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                env=_environment(folder),
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, operation: str, fields: Mapping[str, Any], body: bytes = b"") -> None:
        """Send one message; `ChildLostError` if nobody takes it."""
        assert self._process.stdin is not None  # noqa: S101  asked for above
        try:
            head = {"operation": operation, "fence": self._fence, **fields}
            write_message(self._process.stdin, head, body)
        except (BrokenPipeError, ValueError) as error:
            raise self._lost() from error

    def receive(self, *, seconds: float = ANSWER_SECONDS) -> tuple[dict[str, Any], bytes]:
        """Return the child's next message; `ChildLostError` if it ended, or says nothing for so long."""
        try:
            message = self._events.get(timeout=seconds)
        except Empty:
            raise self._lost() from None
        if message is None:
            raise self._lost()
        return message

    def received(self) -> list[tuple[dict[str, Any], bytes]]:
        """Return what the child has said since, without waiting."""
        messages = []
        with suppress(Empty):
            while (message := self._events.get_nowait()) is not None:
                messages.append(message)
        return messages

    def close(self) -> None:
        """End the child and delete its folder."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is not None:
            # The end of its input ends it.
            with suppress(BrokenPipeError):
                stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if stdout is not None:
            stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self) -> None:
        stdout = self._process.stdout
        if stdout is None:
            return
        with suppress(MessageError, OSError):
            while (message := read_message(stdout)) is not None:
                self._events.put(message)
        self._events.put(None)

    def _lost(self) -> ChildLostError:
        """Say what is known; the child sees masked vectors only, and prints none."""
        status = self._process.poll()
        said = ""
        with suppress(OSError):
            said = (self._folder / "child.log").read_text(errors="replace")[-_LOG_CHARACTERS:]
        state = "does not answer" if status is None else f"ended with status {status}"
        return ChildLostError(f"The run's Substra process {state}. {said}".strip())


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the platform's own: no secret reaches the child. One thread for numpy: vectors are added only."""
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONPATH": str(_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TQDM_DISABLE": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
