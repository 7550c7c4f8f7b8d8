"""A network that somebody gives for a run: where its nodes are, which accounts send, how long is waited for a block."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import pytest

from consortium.embedded.layout import project_root
from contracts.artifacts import Artifacts, shipped
from contracts.errors import ChainAccessRefusedError
from contracts.reading.evidence import EvidenceGateway
from contracts.relay import Relay, create_relay, load_relay
from contracts.rpc.tokens import READING, SENDING, WATCHING, TokenSource, token_sources
from tests.chain.counter import ARTIFACTS

OPTION = "--given-network"
# Keys of the suite's accounts and its last report.
FOLDER = Path(os.environ.get("BESU_ACCEPTANCE_FOLDER", str(project_root() / ".local" / "besu-acceptance")))
ACCOUNTS = 3
# A network that has just lost a validator, or waits for its first block after a start.
PATIENCE_SECONDS = 90.0


class GivenNetworkError(Exception):
    """What was given is no network that the suite may run on; the text says what is missing and what to do."""


@dataclass(frozen=True)
class GivenNetwork:
    """Nodes of one chain; `relays` are accounts of the suite's own, kept between runs so that they can be permitted."""

    urls: tuple[str, ...]
    chain_id: int
    tokens: tuple[TokenSource, ...]
    relays: tuple[Relay, ...]

    @cached_property
    def gateway(self) -> EvidenceGateway:
        """One for the whole run, for the shipped contracts and the tests' own: it remembers how far it has seen the
        chain, so that no test begins on a node that has not heard of the last one's transactions.
        """
        artifacts = Artifacts([*shipped().folders, *ARTIFACTS.folders])
        return EvidenceGateway(
            self.urls, chain_id=self.chain_id, artifacts=artifacts, tokens=self.tokens, timeout_seconds=20
        )

    def node(self, place: int) -> EvidenceGateway:
        """One of the nodes by itself."""
        return EvidenceGateway(
            [self.urls[place]], chain_id=self.chain_id, tokens=[self.tokens[place]], timeout_seconds=20
        )


def read_given(environment: Mapping[str, str], folder: Path) -> GivenNetwork:
    """The network that the environment names.

    Raises
    ------
    GivenNetworkError
        If it names none, or not by its chain id.
    """
    urls = tuple(url.strip() for url in environment.get("CHAIN_RPC_URLS", "").split(",") if url.strip())
    if not urls:
        raise GivenNetworkError("CHAIN_RPC_URLS is not set: name the HTTP addresses of one node or several.")
    chain_id = environment.get("CHAIN_ID", "")
    if not chain_id.isdecimal():
        raise GivenNetworkError(
            "CHAIN_ID is not set. The suite sends transactions that stay in the network for ever: name the network "
            "that you mean by its chain id."
        )
    files = environment.get("CHAIN_RPC_TOKEN_FILE", ""), environment.get("CHAIN_RPC_JWT_KEY_FILE", "")
    try:
        tokens = token_sources(*files, count=len(urls), permissions=(*READING, *SENDING, *WATCHING))
    except ChainAccessRefusedError as error:
        raise GivenNetworkError(error.message) from error
    return GivenNetwork(urls, int(chain_id), tuple(tokens), tuple(_relay(folder, place) for place in range(ACCOUNTS)))


def given_network(config: pytest.Config) -> GivenNetwork | None:
    """The network of this run; None in every run but the acceptance suite's, whatever the environment holds."""
    return _of_this_run() if config.getoption(OPTION, default=False) else None


@lru_cache(maxsize=1)
def _of_this_run() -> GivenNetwork:
    return read_given(os.environ, FOLDER)


def _relay(folder: Path, place: int) -> Relay:
    path = folder / f"account-{place + 1}.key"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return load_relay(path) if path.exists() else create_relay(path)
