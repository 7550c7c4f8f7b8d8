"""What probes, `manage.py chain status` and `manage.py relay` say, also to a process that sees no tenant's row."""

import io
import json
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from contracts import chain as configured
from contracts import health, outbox
from contracts.dispatcher import Dispatcher
from contracts.errors import ChainAccessRefusedError, ChainRequestError, ChainUnavailableError
from contracts.events import BlockHeader, ChainEvent
from contracts.gateway import Gateway
from contracts.management.subcommands import status as status_command
from contracts.models import ChainCursor, OutboxTransaction
from contracts.network import watching
from contracts.network.asking import NamedNode
from contracts.projections import projects
from contracts.projector import project_once, start_projection
from tests.besu.access import Tokens
from tests.besu.node import Node
from tests.besu.server import serve
from tests.factories.streams import forget_applied
from tests.integration.contracts.conftest import add, deploy

pytestmark = pytest.mark.usefixtures("handlers")


@pytest.fixture(autouse=True)
def named_chain(chain, settings, monkeypatch):
    """The deployment's chain is the one in memory, and its head is of this moment."""
    settings.CHAIN_RPC_URL = "http://127.0.0.1:9"
    settings.CHAIN_ID = settings.DEVELOPMENT_CHAIN_ID
    monkeypatch.setattr(health, "chain_from_settings", lambda **_: chain)
    monkeypatch.setattr(watching, "nodes_from_settings", lambda: [NamedNode("127.0.0.1:9", FakeNode(chain))])
    age_head(chain, monkeypatch, 0)


class FakeNode:
    """The chain in memory, asked as a node: a development chain answers no more than its blocks."""

    def __init__(self, chain: Any) -> None:
        self.chain = chain

    def ask(self, method: str, parameters: Sequence[Any] = ()) -> Any:
        if method != "eth_getBlockByNumber":
            raise ChainRequestError("The node does not know this method.")
        found = self.chain.head() if parameters[0] == "latest" else self.chain.block(int(parameters[0], 16))
        return {"number": hex(found.number), "hash": "0x" + found.hash.hex(), "timestamp": hex(found.time)}


def age_head(chain, monkeypatch, seconds: int) -> None:
    def head() -> BlockHeader:
        found = chain._blocks[-1].header
        return BlockHeader(found.number, found.hash, int(time.time()) - seconds)

    monkeypatch.setattr(chain, "head", head)


@pytest.fixture
def consortium(world, as_system, chain, relay):
    with as_system():
        deploy(Dispatcher(chain, relay), world.consortium.pk)
        start_projection(world.consortium.pk)
        project_once(chain)
    return world.consortium.pk


def status(*options: str) -> tuple[int, str]:
    written = io.StringIO()
    try:
        call_command("chain", "status", *options, stdout=written)
    except SystemExit as end:
        return int(end.code or 0), written.getvalue()
    return 0, written.getvalue()


def test_all_is_well_for_a_process_that_sees_no_row(consortium):
    assert not OutboxTransaction.objects.exists()
    found = [health.chain(), health.outbox(), health.projector()]

    assert [finding.well for finding in found] == [True, True, True]
    assert found[1].figures == {
        "unsent": 0,
        "oldest_unsent_seconds": 0,
        "in_flight": 0,
        "oldest_in_flight_seconds": 0,
        "faulty_outcomes": 0,
    }
    assert found[2].figures == {"streams": 1, "lag_blocks": 0, "failed_streams": 0}


def test_a_head_that_stands_still_is_not_well(chain, monkeypatch, db):
    age_head(chain, monkeypatch, 31)
    found = health.chain()
    assert (found.well, found.figures["head_age_seconds"]) == (False, 31)
    assert "validators" in found.remedy


def test_a_node_that_is_away_is_a_finding_and_no_fault(chain, monkeypatch, db):
    chain.fail("check_chain", ChainUnavailableError("The node cannot be reached."))
    assert health.chain().text == "The node cannot be reached."


def test_no_chain_at_all_is_named(settings, db):
    settings.CHAIN_RPC_URL = ""
    found = health.chain()
    assert (found.well, found.remedy) == (False, "Set CHAIN_RPC_URL and CHAIN_ID.")


def test_a_call_that_waits_too_long_is_not_well(consortium, as_system):
    with as_system():
        add(consortium, "test:1")
        OutboxTransaction.objects.update(created_at=timezone.now() - timedelta(seconds=120))
    found = health.outbox()
    assert not found.well
    assert found.figures["unsent"] == 1
    assert found.figures["oldest_unsent_seconds"] in (120, 121)


def test_a_call_that_is_under_way_too_long_is_not_well(consortium, as_system, chain, relay):
    chain.automine = False
    with as_system():
        add(consortium, "test:1")
        Dispatcher(chain, relay).dispatch_once()
        assert health.outbox().well
        OutboxTransaction.objects.filter(state="submitted").update(submitted_at=timezone.now() - timedelta(minutes=3))
    found = health.outbox()
    assert not found.well
    assert found.figures["oldest_in_flight_seconds"] in (180, 181)


def test_an_outcome_that_cannot_be_delivered_is_not_well(consortium, as_system, chain, relay):
    @outbox.on_outcome("test")
    def fail(row: OutboxTransaction) -> None:
        raise LookupError("no such row")

    with as_system():
        add(consortium, "test:1")
        Dispatcher(chain, relay).dispatch_once()
        assert (health.outbox().well, health.outbox().figures["faulty_outcomes"]) == (False, 1)
        code, text = status()
    assert code == 1
    assert "LookupError: no such row" in text


def test_a_stream_that_stands_still_is_not_well(consortium, as_system, chain):
    @projects("Counted")
    def divide(consortium_id: UUID, event: ChainEvent) -> None:
        event.arguments["total"] //= 0

    with as_system():
        forget_applied()
        project_once(chain)
        assert (health.projector().well, health.projector().figures["failed_streams"]) == (False, 1)
        code, text = status()
    assert code == 1
    assert "ZeroDivisionError" in text


def test_a_halted_or_late_stream_is_not_well(consortium, as_system, chain):
    for _ in range(health.MAX_LAG_BLOCKS + 1):
        chain.mine()
    assert (health.projector().well, health.projector().figures["lag_blocks"]) == (False, 21)

    with as_system():
        project_once(chain)
        assert health.projector().well
        ChainCursor.objects.update(halted_text="Block 1 is not what was read before.")
    assert not health.projector().well


def test_the_status_is_given_in_words_and_as_json(consortium):
    code, text = status()
    # Chain, outbox, lanes, projector, proofs; the node and its head; and what a development chain has none of.
    assert (code, text.count("well ")) == (0, 7)
    assert "-      quorum: A development chain" in text
    code, text = status("--json")
    document: dict[str, Any] = json.loads(text)
    assert [finding["name"] for finding in document["findings"]] == ["chain", "outbox", "lanes", "projector", "proofs"]
    assert [point["name"] for point in document["network"]] == ["node 127.0.0.1:9", "head", "quorum"]
    assert document["network"][2]["state"] == "not_applicable"
    assert (document["faults"], document["well"]) == ([], True)


def test_a_wrong_point_of_the_network_ends_with_1(consortium, monkeypatch):
    def away(self: FakeNode, method: str, parameters: Sequence[Any] = ()) -> Any:
        raise ChainUnavailableError("The node cannot be reached.")

    monkeypatch.setattr(FakeNode, "ask", away)
    code, text = status()
    assert code == 1
    assert "WRONG  node 127.0.0.1:9: The node cannot be reached." in text
    assert "correct CHAIN_RPC_URL" in text


def test_an_operations_port_that_cannot_be_used_is_said(consortium, settings):
    settings.CHAIN_OPERATIONS_URL = ["http://127.0.0.1:8546"]
    code, text = status()
    assert (code, "?      network: http://127.0.0.1:8546 is no operations port" in text) == (0, True)


def test_nodes_and_ports_are_those_of_the_settings(settings, tmp_path, monkeypatch):
    monkeypatch.undo()
    settings.CHAIN_RPC_URL = "http://user:secret@one:8545, https://two"
    settings.CHAIN_OPERATIONS_URL = ["ws://127.0.0.1:8546"]
    settings.CHAIN_OPERATIONS_TOKEN_FILE = str(tmp_path / "token")

    assert [node.name for node in watching.nodes_from_settings()] == ["one:8545", "two"]
    assert [node.name for node in watching.operations_from_settings()] == ["127.0.0.1:8546"]


def test_each_operations_port_may_have_a_token_file_of_its_own(settings):
    settings.CHAIN_OPERATIONS_URL = ["ws://127.0.0.1:8546", "wss://two.example:8546"]
    settings.CHAIN_OPERATIONS_TOKEN_FILE = "one.token, two.token"
    ports: list[Any] = [node.node for node in watching.operations_from_settings()]
    assert [str(port._token_file) for port in ports] == ["one.token", "two.token"]

    settings.CHAIN_OPERATIONS_TOKEN_FILE = "one.token,two.token,three.token"
    with pytest.raises(ChainAccessRefusedError, match="3 token files for 2 operations ports"):
        watching.operations_from_settings()


def test_a_new_members_node_is_asked_over_http_with_its_own_members_token(settings, tmp_path):
    key = generate_private_key(65_537, 2_048)
    token = jwt.encode({"exp": int(time.time()) + 60, "permissions": ["eth:*"]}, key, algorithm="RS256")
    path = tmp_path / "token"
    path.write_text(token)
    path.chmod(0o600)
    with serve(Node(tokens=Tokens(key.public_key()))) as server:
        settings.CHAIN_ID = server.node.chain_id
        assert int(watching._candidates_own(server.url, path).ask("eth_blockNumber"), 16) == server.node.head
        with pytest.raises(ChainAccessRefusedError):
            watching._candidates_own(server.url, None).ask("eth_blockNumber")


def test_the_relays_key_is_made_once_by_command(settings, tmp_path):
    settings.RELAY_KEY_FILE = str(tmp_path / "relay.key")

    def relay(action: str) -> str:
        written = io.StringIO()
        call_command("relay", action, stdout=written)
        return written.getvalue().strip()

    with pytest.raises(CommandError, match="relay create"):
        relay("show")
    addresses = {relay("create"), relay("create"), relay("show")}
    assert len(addresses) == 1
    assert (tmp_path / "relay.key").stat().st_mode & 0o777 == 0o600


def test_a_relay_without_a_file_is_refused(settings):
    settings.RELAY_KEY_FILE = ""
    with pytest.raises(CommandError, match="RELAY_KEY_FILE"):
        call_command("relay", "create")


def test_the_gateway_is_made_of_the_settings(settings, monkeypatch):
    settings.CHAIN_RPC_URL = "http://one:8545, http://two:8545"
    configured.chain_from_settings.cache_clear()
    gateway = configured.chain_from_settings()
    configured.chain_from_settings.cache_clear()
    assert isinstance(gateway, Gateway)
    assert gateway.chain_id == settings.DEVELOPMENT_CHAIN_ID
    assert len(gateway._nodes) == 2


def test_who_sees_no_rows_reads_no_registry(chain, db):
    assert watching.registered_nodes(chain) is None


def test_a_database_that_is_away_is_a_finding_and_the_nodes_are_read_all_the_same(consortium, monkeypatch, settings):
    def away(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    settings.CHAIN_ID = 20_261
    monkeypatch.setattr(health, "read_flow", away)
    for module in (watching, status_command):
        monkeypatch.setattr(module, "act_for_all", away)
    code, text = status()
    assert code == 1
    assert "WRONG  outbox: PostgreSQL does not answer" in text
    assert "well   node 127.0.0.1:9" in text
