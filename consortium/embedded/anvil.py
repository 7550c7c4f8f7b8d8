"""The development chain: anvil from its npm package, with the fees and hard fork of a free-gas Besu network."""

import json
import platform
import shutil
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from consortium.embedded.accounts import Account
from consortium.embedded.chain_state import ChainState
from consortium.embedded.errors import MissingBinaryError
from consortium.embedded.layout import Layout, project_root
from consortium.embedded.tied import TiedProcess

# Ours alone, so that what is allowed on the development chain is never allowed on a real one.
DEVELOPMENT_CHAIN_ID = 417_001
# Besu's default for a private network in the design; also keeps a whole roster's opening in one block.
BLOCK_GAS_LIMIT = 60_000_000


def binary() -> Path:
    """The program of the npm package for this machine, else one from PATH."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    packaged = project_root() / "node_modules" / "@foundry-rs" / f"anvil-linux-{machine}" / "bin" / "anvil"
    if packaged.exists():
        return packaged
    if (found := shutil.which("anvil")) is not None:
        return Path(found)
    raise MissingBinaryError("anvil is not installed. Run `make demo`, which installs it, or set CHAIN_RPC_URL.")


@dataclass
class EmbeddedChain:
    """One node for everybody: good for a demonstration, and no proof of independence."""

    layout: Layout
    account: Account
    port: int
    environment: dict[str, str]
    block_seconds: int = 1
    process: TiedProcess | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def state(self) -> ChainState:
        return ChainState(self.layout.chain, self.account)

    def start(self) -> TiedProcess:
        """Start on the state that was last written: a kill loses the blocks of about the last second.

        A node that was started again knows no `blockhash` of blocks before its start. So a lost call that names one,
        as an opening's commitments do, is refused when it is sent again.
        """
        self.account.own(self.layout.chain, 0o700)
        self.state.mend()
        self.process = TiedProcess(
            name="anvil",
            arguments=[
                *(binary(), "--port", str(self.port), "--chain-id", str(DEVELOPMENT_CHAIN_ID), "--silent"),
                *(
                    "--block-time",
                    str(self.block_seconds),
                    "--gas-limit",
                    str(BLOCK_GAS_LIMIT),
                ),
                *("--gas-price", "0", "--base-fee", "0", "--disable-min-priority-fee", "--hardfork", "cancun"),
                *("--state", self.layout.chain / "state.json", "--state-interval", "1"),
            ],
            log=self.layout.logs / "anvil.log",
            environment=self.environment | {"HOME": str(self.layout.chain)},
            account=self.account,
            folder=self.layout.chain,
        ).start()
        self.process.wait_until(self._answers)
        return self.process

    def _answers(self) -> bool:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})  # noqa: S310  loopback
        try:
            with urllib.request.urlopen(request, timeout=1) as answer:  # noqa: S310  loopback, fixed scheme
                return int(json.load(answer)["result"], 16) == DEVELOPMENT_CHAIN_ID
        except (urllib.error.URLError, OSError, ValueError, KeyError):
            return False
