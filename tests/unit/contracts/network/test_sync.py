"""Whether a node sees another one in sync: held to the recorded peers."""

import pytest

from contracts.errors import ChainUnavailableError
from contracts.network.peers import own_enode, read_peers
from contracts.network.points import State
from contracts.network.sync import MAX_ANNOUNCED_LAG_BLOCKS, seen_in_sync
from tests.unit.contracts.network.nodes import HEADERS, RECORDED, RecordedNode, time_of

# The fifth node of the recording, which validates nothing at first; its peers announced block 1.
SPARE = "0x5544914129cddC8cf07A0D848A0AC599dc3f6DF0"
ANNOUNCED = {"eth_getBlockByHash": HEADERS[1]}


def look(node: RecordedNode, validator: str = SPARE, age: int = 1):
    return seen_in_sync(validator, node, now=time_of(node.head) + age, pause=lambda _: None)


def test_the_recorded_spare_was_seen_in_sync_before_it_was_activated():
    found = look(RecordedNode(head=2, answers=ANNOUNCED))
    assert (found.state, found.figures) == (State.WELL, {"connected": True, "announced_lag_blocks": 1})


def test_a_node_that_is_not_connected_is_not_in_sync():
    found = look(RecordedNode(), "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf")
    assert found.state is State.WRONG
    assert "not connected" in found.text


@pytest.mark.parametrize(
    ("head", "state"), [(1 + MAX_ANNOUNCED_LAG_BLOCKS, State.WELL), (2 + MAX_ANNOUNCED_LAG_BLOCKS, State.WRONG)]
)
def test_a_node_that_lags_too_far_is_not_in_sync(head, state):
    assert look(RecordedNode(head=head, answers=ANNOUNCED)).state is state


def test_an_announced_block_that_comes_a_moment_later_is_waited_for():
    class Late(RecordedNode):
        looks = 0

        def ask(self, method, parameters=()):
            if method != "eth_getBlockByHash":
                return super().ask(method, parameters)
            self.looks += 1
            return HEADERS[1] if self.looks > 1 else None

    assert look(Late(head=2)).state is State.WELL


def test_a_block_that_nobody_else_has_is_not_in_sync():
    found = look(RecordedNode(head=2, answers={"eth_getBlockByHash": None}))
    assert found.state is State.WAITING
    assert "this node does not have" in found.text


def test_a_node_that_lags_itself_tells_nothing():
    assert look(RecordedNode(head=2, answers=ANNOUNCED), age=61).state is State.UNKNOWN


def test_a_node_does_not_vouch_for_itself():
    node = RecordedNode(answers=ANNOUNCED)
    assert look(node, own_enode(node).address).state is State.UNKNOWN


def test_without_an_operations_port_nothing_is_seen():
    found = seen_in_sync(SPARE, None)
    assert (found.state, "operations port" in found.remedy) == (State.UNKNOWN, True)


def test_a_port_that_does_not_answer_is_unknown():
    away = RecordedNode(answers={"net_enode": ChainUnavailableError("The port cannot be reached.")})
    found = look(away)
    assert (found.state, found.text) == (State.UNKNOWN, "The port cannot be reached.")


def test_the_recorded_peers_have_the_addresses_that_the_network_listed():
    assert SPARE in {peer.address for peer in read_peers(RecordedNode())}
    assert len(RECORDED["peers"]["result"]) == 4
