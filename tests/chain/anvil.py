"""A real node for tests: anvil with the fees and hard fork of our networks, tied to this process."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consortium.embedded.anvil import BLOCK_GAS_LIMIT, DEVELOPMENT_CHAIN_ID, binary
from consortium.embedded.instance import free_port
from consortium.embedded.tied import TiedProcess


@dataclass
class Anvil:
    """One node; mines each transaction at once unless `block_seconds` is given, keeps its state if `state` is.

    It starts on `genesis`, a file in the form that Besu reads, where one is named.
    """

    folder: Path
    port: int = 0
    block_seconds: int | None = None
    state: Path | None = None
    genesis: Path | None = None
    chain_id: int = DEVELOPMENT_CHAIN_ID
    process: TiedProcess | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Anvil":
        self.port = self.port or free_port()
        options: list[str | Path] = []
        if self.block_seconds is not None:
            options += ["--block-time", str(self.block_seconds)]
        if self.state is not None:
            options += ["--state", self.state, "--state-interval", "1"]
        if self.genesis is not None:
            # Nobody but who stands in the file.
            options += ["--init", self.genesis, "--accounts", "0", "--disable-default-create2-deployer"]
        self.process = TiedProcess(
            name="anvil",
            arguments=[
                *(binary(), "--port", str(self.port), "--chain-id", str(self.chain_id), "--silent"),
                *("--gas-limit", str(BLOCK_GAS_LIMIT), "--gas-price", "0", "--base-fee", "0"),
                *("--disable-min-priority-fee", "--hardfork", "cancun", *options),
            ],
            log=self.folder / "anvil.log",
            environment={"HOME": str(self.folder), "PATH": "/usr/bin:/bin"},
            folder=self.folder,
        ).start()
        self.process.wait_until(self._answers)
        return self

    def __enter__(self) -> "Anvil":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()

    def ask(self, method: str, *parameters: Any) -> Any:
        return self.answer(method, *parameters)["result"]

    def answer(self, method: str, *parameters: Any) -> dict[str, Any]:
        """The whole answer, with `result` or `error`."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})  # noqa: S310  loopback
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  loopback
            found: dict[str, Any] = json.load(answer)
            return found

    def _answers(self) -> bool:
        try:
            return int(self.ask("eth_chainId"), 16) == self.chain_id
        except (urllib.error.URLError, OSError, ValueError, KeyError):
            return False
