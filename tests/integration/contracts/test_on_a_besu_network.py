"""Projector and dispatcher before nodes that answer as the recorded Besu network did."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

import pytest
from django.db import transaction

from consortium.kernel.secp256k1 import checksum_address
from contracts.artifacts import Artifacts
from contracts.dispatcher import Dispatcher
from contracts.errors import ChainError, ChainRewoundError
from contracts.gateway import Gateway
from contracts.models import ChainCursor, ChainEventRecord, ContractDeployment, OutboxTransaction
from contracts.projector import project_once, start_projection
from tests.besu.ledger import recorded_ledger
from tests.besu.network import Network
from tests.besu.recordings import CHAIN_ID, DATA, document
from tests.besu.server import Server, serve
from tests.chain.counter import ARTIFACTS, LIMIT
from tests.integration.contracts.conftest import add

pytestmark = [pytest.mark.usefixtures("system", "handlers"), pytest.mark.services]
RECORDER = document("network.json")["contracts"]["Recorder"]
# Of the 88 logs that Recorder wrote, one is an anonymous event.
EVENTS = 87


@pytest.fixture(autouse=True)
def _real_chain(settings) -> None:
    """Not the development chain: nothing lost is mended here."""
    settings.CHAIN_ID = CHAIN_ID


@dataclass
class Besu:
    network: Network
    servers: list[Server]

    def gateway(self, artifacts: Artifacts) -> Gateway:
        urls = [server.url for server in self.servers]
        return Gateway(urls, chain_id=CHAIN_ID, artifacts=artifacts, timeout_seconds=5)


@pytest.fixture
def besu() -> Iterator[Besu]:
    network = Network(2, ledger=recorded_ledger())
    with ExitStack() as stack:
        yield Besu(network, [stack.enter_context(serve(node)) for node in network.nodes])


@pytest.fixture
def stream(world) -> UUID:
    """A consortium whose contract is the recorded one, read from the block that created it."""
    consortium = world.consortium.pk
    ContractDeployment.objects.create(
        consortium_id=consortium,
        name="Recorder",
        address=checksum_address(RECORDER["address"]),
        block=RECORDER["created"],
        transaction_hash="0x" + "11" * 32,
        constructor_arguments=[],
    )
    with transaction.atomic():
        start_projection(consortium)
    return consortium


@pytest.fixture
def projected(besu, stream) -> Gateway:
    chain = besu.gateway(Artifacts([DATA / "contracts"]))
    project_once(chain)
    assert ChainEventRecord.objects.count() == EVENTS
    return chain


def test_the_recorded_chain_is_read_whole_from_nodes_that_give_little_at_once(besu, stream):
    for node in besu.network.nodes:
        node.max_logs_range = 10
    project_once(besu.gateway(Artifacts([DATA / "contracts"])))

    found = ChainEventRecord.objects.order_by("block_number", "log_index")
    logs = [log for log in besu.network.ledger.logs(0, 110) if log["address"] == RECORDER["address"]]
    known = {(row.block_number, row.log_index) for row in found}
    assert len(known) == EVENTS
    assert known <= {(int(log["blockNumber"], 16), int(log["logIndex"], 16)) for log in logs}
    assert ChainCursor.objects.get(pk=stream).position == 110


def test_a_slower_node_is_waited_for_and_is_no_alarm(besu, projected, stream):
    besu.network.nodes[1].stand_still()
    besu.network.mine(5)
    project_once(projected)
    assert ChainCursor.objects.get(pk=stream).position == 115
    besu.servers[0].stop()
    for _ in range(3):
        with pytest.raises(ChainError) as fault:
            project_once(projected)
        assert fault.value.retryable
    assert ChainCursor.objects.get(pk=stream).halted_text == ""

    besu.network.nodes[1].follow()
    besu.network.mine()
    project_once(projected)
    assert ChainCursor.objects.get(pk=stream).position == 116


def test_another_history_at_a_known_height_is_an_alarm(besu, projected, stream):
    other = besu.network.ledger.fork(100)
    while other.head <= 112:
        other.mine(salt="other")
    for node in besu.network.nodes:
        node.ledger = other

    with pytest.raises(ChainRewoundError):
        project_once(projected)
    assert ChainEventRecord.objects.count() == EVENTS
    assert ChainCursor.objects.get(pk=stream).position == 110
    assert ChainCursor.objects.get(pk=stream).halted_text != ""


def test_what_a_restarted_node_forgot_is_sent_again_and_mined_once(besu, relay, world):
    dispatcher = Dispatcher(besu.gateway(ARTIFACTS), relay)
    add(world.consortium.pk, "deploy:counter", function="constructor", arguments=[LIMIT])
    besu.network.freeze()
    dispatcher.dispatch_once()
    row = OutboxTransaction.objects.get()
    assert (row.state, len(besu.network.nodes[0].pool)) == ("submitted", 1)
    for server in besu.servers:
        server.node.restart()
    assert len(besu.network.nodes[0].pool) == 0

    OutboxTransaction.objects.update(broadcast_at=None)
    dispatcher.dispatch_once()
    besu.network.thaw()
    besu.network.mine()
    dispatcher.dispatch_once()
    row.refresh_from_db()
    assert row.state == "confirmed"
    assert besu.network.ledger.count(relay.address, besu.network.ledger.head) == 1


def test_a_slower_node_does_not_make_a_mined_transaction_look_lost(besu, relay, world):
    dispatcher = Dispatcher(besu.gateway(ARTIFACTS), relay)
    add(world.consortium.pk, "deploy:counter", function="constructor", arguments=[LIMIT])
    dispatcher.dispatch_once()
    besu.network.nodes[1].stand_still()
    besu.network.mine()
    dispatcher.dispatch_once()
    assert OutboxTransaction.objects.get().state == "confirmed"
    besu.servers[0].stop()
    for _ in range(3):
        with pytest.raises(ChainError) as fault:
            dispatcher.dispatch_once()
        assert fault.value.retryable

    besu.network.nodes[1].follow()
    dispatcher.dispatch_once()
    assert OutboxTransaction.objects.get().state == "confirmed"
