"""Chains for tests: anvil on a free port, and the one in memory."""

from collections.abc import Iterator

import pytest
from eth_account import Account

from contracts.gateway import Gateway
from contracts.interface import Chain
from contracts.relay import Relay
from tests.chain.anvil import Anvil
from tests.chain.counter import ARTIFACTS, fake_chain


@pytest.fixture(scope="session")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    node = Anvil(tmp_path_factory.mktemp("anvil")).start()
    yield node
    node.stop()


@pytest.fixture
def gateway(anvil: Anvil) -> Gateway:
    return Gateway([anvil.url], chain_id=anvil.chain_id, artifacts=ARTIFACTS)


@pytest.fixture(params=["memory", pytest.param("anvil", marks=pytest.mark.services)])
def chain(request: pytest.FixtureRequest) -> Chain:
    """The chain in memory and a real node: what is promised is promised by both."""
    if request.param == "memory":
        return fake_chain()
    found: Gateway = request.getfixturevalue("gateway")
    return found


@pytest.fixture
def relay() -> Relay:
    return Relay(Account.create())
