"""`make besu-acceptance` before it sends anything, and one run of it as somebody starts it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from consortium.embedded.anvil import DEVELOPMENT_CHAIN_ID
from consortium.embedded.layout import project_root
from contracts.errors import ChainError
from contracts.events import ContractReference
from contracts.gateway import Gateway
from contracts.network.genesis import build_genesis
from contracts.network.members import Numbers
from contracts.network.predeployed import SOURCE_ADDRESS
from contracts.relay import Relay
from tests.besu.exchange import Reply, Request, answer
from tests.besu.node import Node
from tests.besu.permissions import Permissions
from tests.besu.recordings import CHAIN_ID as RECORDED_CHAIN_ID
from tests.besu.server import serve
from tests.chain.acceptance import __main__ as acceptance
from tests.chain.acceptance import preflight
from tests.chain.acceptance.unknown import Unknown
from tests.chain.anvil import Anvil
from tests.chain.given import GivenNetwork, GivenNetworkError, read_given
from tests.chain.sealed import validators
from tests.chain.test_chain_promises import mine

pytestmark = pytest.mark.services
CHAIN_ID = 20_262


def given(folder: Path, *urls: str, chain_id: int = CHAIN_ID) -> GivenNetwork:
    return read_given({"CHAIN_RPC_URLS": ",".join(urls), "CHAIN_ID": str(chain_id)}, folder)


@pytest.fixture
def owner() -> Relay:
    return Relay(Account.create())


@pytest.fixture
def node(tmp_path: Path, owner: Relay) -> Iterator[Anvil]:
    """A network of ours before a consortium is founded on it."""
    genesis = tmp_path / "genesis.json"
    addresses = [key.address for key in validators(4)]
    genesis.write_text(json.dumps(build_genesis(Numbers("new", CHAIN_ID), addresses, relay=owner.address)))
    with Anvil(tmp_path, chain_id=CHAIN_ID, genesis=genesis).start() as node:
        yield node


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "CHAIN_RPC_URLS is not set"),
        ({"CHAIN_RPC_URLS": "http://127.0.0.1:9"}, "CHAIN_ID is not set"),
        ({"CHAIN_RPC_URLS": "http://127.0.0.1:9", "CHAIN_ID": "0x4f26"}, "CHAIN_ID is not set"),
        (
            {"CHAIN_RPC_URLS": "http://127.0.0.1:9", "CHAIN_ID": "1", "CHAIN_RPC_TOKEN_FILE": "a,b"},
            "2 files for the tokens of 1 nodes",
        ),
        ({"CHAIN_RPC_URLS": "http://127.0.0.1:9", "CHAIN_ID": str(DEVELOPMENT_CHAIN_ID)}, "development chain's id"),
        ({"CHAIN_RPC_URLS": "http://127.0.0.1:9", "CHAIN_ID": "20262"}, "cannot be reached"),
    ],
)
def test_what_it_lacks_is_said_with_how_to_call_it(environment, said, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(acceptance, "FOLDER", tmp_path)
    for name in ("CHAIN_RPC_URLS", "CHAIN_ID", "CHAIN_RPC_TOKEN_FILE", "CHAIN_RPC_JWT_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert acceptance.main([]) == acceptance.MISUSE

    told = capsys.readouterr().err
    assert said in told
    assert "make besu-acceptance" in told


def test_a_network_without_a_consortium_is_looked_at_and_nothing_is_sent(node, tmp_path):
    seen = preflight.look(given(tmp_path, node.url))

    assert "4 validators" in seen.mode
    assert list(seen.versions.values()) == [node.ask("web3_clientVersion")]
    assert node.ask("eth_blockNumber") == "0x0"


def test_a_network_on_which_a_consortium_stands_is_left_alone(node, owner, tmp_path):
    network = given(tmp_path, node.url)
    source = ContractReference("ValidatorSource", SOURCE_ADDRESS)
    made = {"nonce": 0, "gas": 3_000_000, "chain_id": CHAIN_ID}
    registry = mine(
        network.gateway,
        owner.sign(
            to=None,
            data=network.gateway.deploy_data(
                "ValidatorSource", 4, owner.address, owner.address, network.gateway.call(source, "getValidators")
            ),
            **made,
        ),
    ).contract_address
    handed = network.gateway.encode(source, "setWriter", registry)
    mine(network.gateway, owner.sign(to=SOURCE_ADDRESS, data=handed, **(made | {"nonce": 1})))
    height = node.ask("eth_blockNumber")

    with pytest.raises(GivenNetworkError, match="A consortium was founded on this network"):
        preflight.look(network)
    assert node.ask("eth_blockNumber") == height


def test_another_chain_and_nodes_of_two_networks_are_refused(node, tmp_path):
    with pytest.raises(GivenNetworkError, match="is for 20263"):
        preflight.look(given(tmp_path, node.url, chain_id=20_263))
    other = tmp_path / "other"
    other.mkdir()
    with (
        Anvil(other, chain_id=CHAIN_ID).start() as stranger,
        pytest.raises(GivenNetworkError, match="different genesis blocks"),
    ):
        preflight.look(given(tmp_path, node.url, stranger.url))


def test_accounts_that_may_not_send_are_named_with_the_call_that_permits_them(tmp_path):
    with serve(Node(permissions=Permissions(accounts=[]))) as server:
        network = given(tmp_path, server.url, chain_id=RECORDED_CHAIN_ID)
        with pytest.raises(GivenNetworkError, match="perm_addAccountsToAllowlist") as refused:
            preflight.require_senders(network)
        assert all(relay.address in str(refused.value) for relay in network.relays)
        assert len(server.node.pool) == 0


def test_a_network_that_makes_no_blocks_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(preflight, "PATIENCE_SECONDS", 0.3)
    with serve(Node()) as server, pytest.raises(GivenNetworkError, match="does the network make blocks"):
        preflight.require_senders(given(tmp_path, server.url, chain_id=RECORDED_CHAIN_ID))


def test_its_accounts_are_kept_between_runs_and_their_keys_are_its_owners_alone(tmp_path):
    first, second = (given(tmp_path, "http://127.0.0.1:9") for _ in range(2))
    assert [relay.address for relay in first.relays] == [relay.address for relay in second.relays]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.key")} == {0o600}


def test_the_environment_alone_sends_no_other_test_anywhere(request, monkeypatch):
    from tests.chain.given import given_network

    monkeypatch.setenv("CHAIN_RPC_URLS", "http://127.0.0.1:9")
    monkeypatch.setenv("CHAIN_ID", "20262")
    if request.config.getoption("--given-network", default=False):
        pytest.skip("this is a run on a given network")
    assert given_network(request.config) is None


def test_a_run_tells_what_held_what_was_left_out_and_with_which_versions(node, tmp_path):
    program = (
        "import tests.chain.acceptance.__main__ as suite\n"
        "suite.FILES = ('tests/chain/test_chain_promises.py', 'tests/chain/test_acceptance.py')\n"
        "raise SystemExit(suite.main(['-p', 'no:django']))"
    )
    folder = tmp_path / "accounts"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))},
        **{"CHAIN_RPC_URLS": node.url, "CHAIN_ID": str(CHAIN_ID), "BESU_ACCEPTANCE_FOLDER": str(folder)},
    }
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=project_root(),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=120,
    )

    assert found.returncode == 0, found.stdout + found.stderr
    assert "  held          a gap waits and the same bytes are known" in found.stdout
    assert ", 0 DID NOT HOLD, 0 left out" in found.stdout
    assert "anvil/" in found.stdout
    report = json.loads((folder / "report.json").read_text())
    assert {row["outcome"] for row in report["tests"]} == {"passed"}
    # What it looks at before it sends is no promise of a network, and not among them.
    assert {row["group"] for row in report["tests"]} == {"chain promises"}


def test_an_answer_that_no_program_knows_is_told_once_and_known_ones_are_not():
    errors = {
        "eth_sendRawTransaction": {"code": -32001, "message": "Nonce too low"},
        "eth_getLogs": {"code": -32099, "message": "Something of Besu 27"},
    }

    def refuse(node: Node, request: Request) -> Reply:
        asked = json.loads(request.body)
        if (error := errors.get(asked["method"])) is None:
            return answer(node, request)
        return Reply(200, json.dumps({"jsonrpc": "2.0", "id": asked["id"], "error": error}).encode())

    unknown = Unknown()
    with serve(respond=refuse) as server, unknown.heard():
        gateway = Gateway([server.url], chain_id=RECORDED_CHAIN_ID)
        for method in ("eth_sendRawTransaction", "eth_getLogs", "eth_getLogs"):
            with pytest.raises(ChainError):
                gateway.ask(method, ["0x12"])
    assert unknown.answers == ["eth_getLogs: -32099 Something of Besu 27"]
