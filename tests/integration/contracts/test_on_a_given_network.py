"""Founding, outbox, dispatcher and projector on a network that was given, or on an anvil with blocks of one second."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.db import transaction
from eth_account import Account

from contracts.artifacts import Artifacts
from contracts.deployment import deploy_consortium
from contracts.dispatcher import Dispatcher
from contracts.gateway import Gateway
from contracts.models import ChainCursor, ChainEventRecord, OutboxTransaction
from contracts.network.asking import NamedNode
from contracts.network.points import State
from contracts.network.status import Watch, network_status
from contracts.projector import project_once, start_projection
from contracts.reading.replay import replay
from contracts.relay import Relay
from tests.chain.anvil import Anvil
from tests.chain.counter import ARTIFACTS, LIMIT
from tests.chain.given import PATIENCE_SECONDS, given_network
from tests.chain.test_chain_promises import mine
from tests.integration.contracts.conftest import add, deploy, settle, states, total
from tests.integration.contracts.test_deployment import CONTRACTS, founding

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("system", "handlers")]
# No development chain: nothing that is lost there is mended.
CHAIN_ID = 20_262
CALLS = 60


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil | None]:
    if given_network(request.config) is not None:
        yield None
        return
    with Anvil(tmp_path_factory.mktemp("anvil"), chain_id=CHAIN_ID, block_seconds=1).start() as node:
        yield node


@pytest.fixture
def network(request: pytest.FixtureRequest, node: Anvil | None, settings) -> Gateway:
    given = given_network(request.config)
    settings.CHAIN_ID = given.chain_id if given else CHAIN_ID
    return given.gateway if given else _of_its_own(node)


@pytest.fixture
def counting(request: pytest.FixtureRequest, network: Gateway, node: Anvil | None) -> Gateway:
    """The same, for the tests' own contract."""
    given = given_network(request.config)
    return given.gateway if given else _of_its_own(node, ARTIFACTS)


def _of_its_own(node: Anvil | None, artifacts: Artifacts | None = None) -> Gateway:
    assert node is not None
    return Gateway([node.url], chain_id=node.chain_id, artifacts=artifacts)


@pytest.fixture
def relays(request: pytest.FixtureRequest) -> list[Relay]:
    given = given_network(request.config)
    return list(given.relays) if given else [Relay(Account.create()) for _ in range(2)]


def test_chain_status_finds_nothing_wrong_with_nodes_head_quorum_and_turns(request, network, relays):
    """What it cannot see from here is unknown: peers need the operations ports."""
    given = given_network(request.config)
    nodes = [given.node(place) for place in range(len(given.urls))] if given else [network]
    # So that the newest block is young where blocks come with transactions alone.
    nonce = network.transaction_count(relays[0].address)
    signed = relays[0].sign(to=relays[0].address, data=b"", nonce=nonce, gas=21_000, chain_id=network.chain_id)
    mine(network, signed)

    points = network_status(Watch([NamedNode(str(place), node) for place, node in enumerate(nodes)]))

    assert [f"{point.name}: {point.text}" for point in points if point.state is State.WRONG] == []
    assert {point.name for point in points} >= {"head", "quorum", "node 0"}


def test_a_consortium_is_founded_read_and_read_again_from_the_node(network, relays, world):
    """On a list of validators of its own: who makes the network's blocks is not touched."""
    wanted = founding(world.consortium.pk)

    made = deploy_consortium(network, relays[0], wanted)
    project_once(network)

    assert {deployment.name for deployment in made} == CONTRACTS
    admitted = ChainEventRecord.objects.filter(name="OrganizationAdmitted").order_by("log_index")
    assert [event.event.arguments["voteKey"] for event in admitted] == [f.vote_key for f in wanted.founders]
    # The members' rows are the test's own; what is held to the node here are the events.
    report = replay(network)
    assert [each for each in report.differences if each.table == ChainEventRecord._meta.db_table] == []
    assert report.events == ChainEventRecord.objects.count() > len(CONTRACTS)


def test_calls_of_two_accounts_are_settled_each_once_and_their_events_read(counting, relays, world):
    dispatcher = Dispatcher(counting, *relays[:2])
    homes = [world.consortium.pk, world.other_consortium.pk]
    for home in homes:
        deploy(dispatcher, home, seconds=PATIENCE_SECONDS)
    for place in range(CALLS):
        add(homes[place % 2], f"given:{place}")

    settle(dispatcher, seconds=PATIENCE_SECONDS)

    assert set(states().values()) == {"confirmed"}
    assert [total(dispatcher, home) for home in homes] == [CALLS // 2] * 2
    rows = OutboxTransaction.objects.exclude(function="constructor")
    assert len(set(rows.values_list("sender", "nonce"))) == CALLS
    assert set(rows.values_list("sender", flat=True)) <= {relay.address for relay in relays}
    _read(counting, homes)
    # One of each creation, one of each call.
    assert ChainEventRecord.objects.filter(name="Counted").count() == 2 + CALLS


def _read(chain: Gateway, homes: list[UUID]) -> None:
    with transaction.atomic():
        for home in homes:
            start_projection(home)
    project_once(chain)
    assert {cursor.pk for cursor in ChainCursor.objects.all()} == set(homes)


def test_a_refused_call_costs_no_nonce_and_says_why_in_the_contracts_words(counting, relays, world):
    dispatcher = Dispatcher(counting, relays[0])
    deploy(dispatcher, world.consortium.pk, seconds=PATIENCE_SECONDS)
    before = counting.transaction_count(relays[0].address)
    add(world.consortium.pk, "given:1", LIMIT + 1)

    settle(dispatcher, seconds=PATIENCE_SECONDS)

    row = OutboxTransaction.objects.get(idempotency_key="given:1")
    assert (row.state, row.error_code) == ("failed", "CounterTooLarge")
    assert counting.transaction_count(relays[0].address) == before
