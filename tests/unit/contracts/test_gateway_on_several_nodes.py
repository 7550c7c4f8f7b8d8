"""One gateway before several nodes of one network: fail-over, lag, standing still, other chains."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from contracts.artifacts import Artifacts
from contracts.errors import ChainBehindError, ChainUnavailableError
from contracts.events import ContractReference
from contracts.gateway import Gateway
from contracts.rpc.nodes import NetworkState
from tests.besu.faults import Fault
from tests.besu.ledger import recorded_ledger
from tests.besu.network import Network
from tests.besu.recordings import CHAIN_ID, DATA
from tests.besu.server import Server, serve
from tests.unit.besu.asking import new_account, signed

RECORDER = ContractReference("Recorder", "0x221EDC9c97365E06dA77B157cEfa535E04efA52D")
# Of the 88 logs that Recorder wrote, one is an anonymous event.
EVENTS = 87


@dataclass
class Together:
    """A network, its servers, and a gateway whose next look is due whenever a test says so."""

    network: Network
    servers: list[Server]
    gateway: Gateway

    def look_again(self) -> None:
        self.gateway._choice._next_look = float("-inf")

    def asked(self, method: str) -> list[int]:
        """How often each node was asked for it."""
        return [server.methods.count(method) for server in self.servers]


@pytest.fixture
def together() -> Iterator[Together]:
    network = Network(3, ledger=recorded_ledger())
    network.mine(3)
    with ExitStack() as stack:
        servers = [stack.enter_context(serve(node)) for node in network.nodes]
        urls = [server.url for server in servers]
        artifacts = Artifacts([DATA / "contracts"])
        yield Together(network, servers, Gateway(urls, chain_id=CHAIN_ID, timeout_seconds=2, artifacts=artifacts))


def test_a_node_that_is_gone_is_left_and_the_next_question_answered(together):
    gateway = together.gateway
    number = gateway.head().number
    together.servers[0].stop()
    with pytest.raises(ChainUnavailableError):
        gateway.head()
    assert gateway.head().number == number


def test_a_node_that_is_gone_from_the_start_is_not_even_noticed(together):
    together.servers[0].stop()
    assert together.gateway.head().number == 113


def test_a_node_that_lags_is_left_and_its_old_head_not_shown(together):
    gateway, network = together.gateway, together.network
    gateway.head()
    network.nodes[0].stand_still()
    network.mine(5)
    together.look_again()
    assert gateway.head().number == 118


def test_a_network_that_stands_still_is_no_reason_to_change_nodes(together):
    gateway, network = together.gateway, together.network
    network.mine(now=int(time.time()) - 50_000)
    network.freeze()
    gateway.head()
    for _ in range(3):
        together.look_again()
        gateway.transaction_count(new_account().address)
    assert together.asked("eth_getTransactionCount") == [3, 0, 0]


def test_the_state_of_the_network_is_told_from_all_its_nodes(together):
    gateway = together.gateway
    now = time.time()
    assert gateway.network_state(now=now) is NetworkState.FRESH
    assert gateway.network_state(now=now + 10_000) is NetworkState.FROZEN
    together.servers[2].stop()
    heads = gateway.node_heads()
    assert [None if found is None else found.number for found in heads.values()] == [113, 113, None]
    for server in together.servers[:2]:
        server.stop()
    assert gateway.network_state(now=now) is NetworkState.SILENT


def test_a_sender_keeps_its_node_while_it_keeps_up_and_moves_all_at_once(together):
    gateway, network, account = together.gateway, together.network, new_account()
    for nonce in range(3):
        gateway.send_raw(bytes.fromhex(signed(account, nonce)[2:]))
        network.mine()
        together.look_again()
    assert together.asked("eth_sendRawTransaction") == [3, 0, 0]
    together.servers[0].stop()
    for nonce in range(3, 5):
        try:
            gateway.send_raw(bytes.fromhex(signed(account, nonce)[2:]))
        except ChainUnavailableError:
            gateway.send_raw(bytes.fromhex(signed(account, nonce)[2:]))
    assert sorted(together.asked("eth_sendRawTransaction")) == [0, 2, 3]
    network.mine()
    assert gateway.transaction_count(account.address) == 5


def test_a_pinned_gateway_stays_with_a_node_that_falls_behind(together):
    gateway, network = together.gateway, together.network
    gateway.head()
    network.nodes[0].stand_still()
    network.mine(10)
    with gateway.pinned():
        together.look_again()
        gateway.transaction_count(new_account().address)
    assert together.asked("eth_getTransactionCount") == [1, 0, 0]


def test_a_block_that_was_shown_is_waited_for_at_a_slower_node(together):
    gateway, network = together.gateway, together.network
    network.nodes[1].stand_still()
    network.nodes[2].stand_still()
    network.mine()
    assert gateway.head().number == 114
    together.servers[0].stop()
    with pytest.raises(ChainUnavailableError):
        gateway.head()
    with pytest.raises(ChainBehindError):
        gateway.head()
    network.nodes[1].follow()
    assert gateway.head().number == 114


def test_a_node_of_another_chain_is_not_asked(together):
    together.network.nodes[0].chain_id = 1
    assert together.gateway.head().number == 113
    assert together.asked("eth_getBlockByNumber")[0] == 0


def test_events_come_from_one_node_though_another_one_is_ahead(together):
    """The window ends at the head of the node that is asked: Besu refuses one that ends above it."""
    gateway, network = together.gateway, together.network
    gateway.head()
    network.nodes[0].stand_still()
    network.mine(2)
    before = together.asked("eth_getLogs")
    events = gateway.logs([RECORDER], 0, 10_000)
    assert len(events) == EVENTS
    assert sum(after > past for past, after in zip(before, together.asked("eth_getLogs"), strict=True)) == 1


def test_a_fault_in_the_middle_of_an_answer_ends_the_whole_answer(together):
    gateway = together.gateway
    gateway.head()
    together.servers[0].fail(Fault.FAILED, method="eth_getLogs")
    with pytest.raises(ChainUnavailableError):
        gateway.logs([RECORDER], 0, 100)
    assert len(gateway.logs([RECORDER], 0, 113)) == EVENTS
    assert together.asked("eth_getLogs")[0] == 1


def test_a_silent_node_costs_one_time_out_and_is_then_left(together):
    gateway = together.gateway
    gateway.head()
    together.servers[0].fail(Fault.SILENT)
    with pytest.raises(ChainUnavailableError):
        gateway.head()
    before = len(together.servers[0].requests)
    for _ in range(20):
        gateway.head()
    # A look or two at whether it is back, and no question.
    assert len(together.servers[0].requests) - before <= 2


def test_what_is_asked_together_is_asked_of_one_node(together):
    gateway: Any = together.gateway
    with gateway.one_node():
        first = gateway.head()
        together.network.nodes[0].stand_still()
        together.network.mine(20)
        together.look_again()
        assert gateway.head() == first
    assert gateway.head().number == first.number + 20
