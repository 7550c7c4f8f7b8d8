"""Chains for tests: anvil on a free port, the one in memory, or a network that was given for this run."""

from collections.abc import Iterator

import pytest
from eth_account import Account

from contracts.gateway import Gateway
from contracts.interface import Chain
from contracts.relay import Relay
from tests.besu.recordings import CHAIN_ID
from tests.besu.server import serve
from tests.chain.anvil import Anvil
from tests.chain.counter import ARTIFACTS, fake_chain
from tests.chain.given import given_network


@pytest.fixture(scope="session")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    node = Anvil(tmp_path_factory.mktemp("anvil")).start()
    yield node
    node.stop()


@pytest.fixture
def gateway(anvil: Anvil) -> Gateway:
    return Gateway([anvil.url], chain_id=anvil.chain_id, artifacts=ARTIFACTS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The chain in memory and a real node: what is promised is promised by both, and by a given network."""
    if "chain" in metafunc.fixturenames:
        real = pytest.param("anvil", marks=pytest.mark.services)
        names = ["given"] if given_network(metafunc.config) else ["memory", real]
        metafunc.parametrize("chain", names, indirect=True)


@pytest.fixture
def chain(request: pytest.FixtureRequest) -> Chain:
    if request.param == "memory":
        return fake_chain()
    found: Chain = request.getfixturevalue("real_chain")
    return found


@pytest.fixture
def real_chain(request: pytest.FixtureRequest) -> Gateway:
    """A node of its own, or the network that was given."""
    if (given := given_network(request.config)) is not None:
        return given.gateway
    found: Gateway = request.getfixturevalue("gateway")
    return found


@pytest.fixture
def besu(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """The given network, or a model of a node that answers as recorded ones did."""
    if (given := given_network(request.config)) is None:
        with serve() as server:
            yield Gateway([server.url], chain_id=CHAIN_ID)
    elif not str(given.gateway.ask("web3_clientVersion")).lower().startswith("besu"):
        pytest.skip("the given node is no Besu, and others refuse in other words or not at all")
    else:
        yield given.gateway


@pytest.fixture
def relays(request: pytest.FixtureRequest) -> list[Relay]:
    """Accounts that may send: new ones, but for a given network, whose operators have to permit them."""
    given = given_network(request.config)
    return list(given.relays) if given else [Relay(Account.create()) for _ in range(3)]


@pytest.fixture
def relay(relays: list[Relay]) -> Relay:
    return relays[0]
