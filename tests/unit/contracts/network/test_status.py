"""`chain status` on a recorded network: with everybody up, one down, two down, strangers, and nothing to see."""

from typing import Any

import pytest

from contracts.errors import ChainAccessRefusedError, ChainUnavailableError
from contracts.network.peers import addresses, own_enode, read_peers
from contracts.network.points import Point, State, lines_of
from contracts.network.status import Watch, network_status, peers_point
from contracts.network.turns import read_turns
from tests.unit.contracts.network.nodes import HEADERS, NETWORK, NOT_ENABLED, RecordedNode, named, time_of

NODES = set(NETWORK["nodes"]["addresses"])


def look(*nodes: RecordedNode, now: int | None = None, **more: Any) -> dict[str, Point]:
    watched = [named(node, f"10.0.0.{place}:8545") for place, node in enumerate(nodes, start=1)]
    at = time_of(nodes[0].head) + 1 if now is None else now
    return {point.name: point for point in network_status(Watch(watched, **more), now=at)}


def test_a_network_with_everybody_up_is_well():
    found = look(RecordedNode(head=53))

    assert {name: point.state for name, point in found.items()} == {
        "node 10.0.0.1:8545": State.WELL,
        "head": State.WELL,
        "validators": State.WELL,
        "quorum": State.WELL,
        "turns": State.WELL,
        "peers": State.UNKNOWN,
    }
    assert found["quorum"].figures == {"validators": 4, "quorum": 3, "margin": 1, "silent": []}
    assert found["node 10.0.0.1:8545"].text == "Block 53, 1 s old, 4 peers."
    assert "CHAIN_OPERATIONS_URL" in found["peers"].remedy


def test_one_validator_down_leaves_no_margin_and_is_named():
    found = look(RecordedNode(head=68))
    # Node 2 was stopped at block 54; blocks 55, 58, 61, 64 and 67 had a round above 0.
    stopped = NETWORK["nodes"]["addresses"][2]

    assert found["quorum"].state is State.WRONG
    assert found["quorum"].figures["margin"] == 0
    assert found["quorum"].figures["silent"] == [stopped]
    assert found["turns"].figures["missed"][stopped] >= 5
    assert stopped in found["turns"].text
    assert "Bring the silent ones back" in found["quorum"].remedy


def test_a_validator_that_was_replaced_while_it_was_down_is_no_fault_any_more():
    found = look(RecordedNode(head=87))
    assert (found["quorum"].state, found["turns"].state) == (State.WELL, State.WELL)
    assert found["turns"].figures["silent"] == []


def test_a_lost_quorum_shows_in_the_age_of_the_head_alone():
    frozen = RecordedNode(head=94)
    found = look(frozen, now=time_of(94) + 31)

    assert found["head"].state is State.WRONG
    assert found["head"].text == "The newest block, 94, is 31 s old. The chain stands still."
    assert found["node 10.0.0.1:8545"].state is State.WELL
    assert look(frozen, now=time_of(94) + 30)["head"].state is State.WELL


def test_a_node_that_is_away_is_named_and_the_others_are_read():
    away = RecordedNode(answers={"eth_getBlockByNumber": ChainUnavailableError("The node cannot be reached.")})
    found = look(RecordedNode(head=20), away)
    assert found["node 10.0.0.2:8545"].state is State.WRONG
    assert found["node 10.0.0.2:8545"].text == "The node cannot be reached."
    assert found["head"].state is State.WELL


def test_where_no_node_answers_that_is_all_that_is_said():
    found = look(RecordedNode(answers={"eth_getBlockByNumber": ChainUnavailableError("away")}))
    assert {name: point.state for name, point in found.items()} == {
        "node 10.0.0.1:8545": State.WRONG,
        "head": State.WRONG,
    }


def test_a_node_behind_the_others_is_named():
    found = look(RecordedNode(head=20), RecordedNode(head=14))
    assert found["node 10.0.0.2:8545"].state is State.WRONG
    assert "6 blocks behind" in found["node 10.0.0.2:8545"].text
    assert look(RecordedNode(head=20), RecordedNode(head=15))["node 10.0.0.2:8545"].state is State.WELL


def test_a_node_of_another_chain_is_named():
    class Other(RecordedNode):
        def _block(self, number: str) -> dict[str, Any] | None:
            found = super()._block(number)
            return found and found | ({"hash": "0x" + "11" * 32} if number == "0x0" else {})

    found = look(RecordedNode(head=20), Other(head=20))
    assert "another chain" in found["node 10.0.0.2:8545"].text

    # Also where it is named first and is ahead: most of the nodes decide, and its head is not the network's.
    found = look(Other(head=30), RecordedNode(head=20), RecordedNode(head=19), now=time_of(20) + 1)
    assert "another chain" in found["node 10.0.0.1:8545"].text
    assert found["node 10.0.0.2:8545"].state is State.WELL
    assert found["head"].figures["height"] == 20


def test_a_node_without_qbft_is_unknown_and_not_wrong():
    found = look(RecordedNode(answers={"qbft_getValidatorsByBlockNumber": NOT_ENABLED}))
    assert found["quorum"].state is State.UNKNOWN
    assert "turns" not in found


def test_a_node_that_hides_its_peers_is_read_all_the_same():
    found = look(RecordedNode(answers={"net_peerCount": NOT_ENABLED}))
    assert found["node 10.0.0.1:8545"].text == "Block 20, 1 s old."


def test_a_development_chain_says_what_does_not_apply():
    node = RecordedNode(answers={"qbft_getValidatorsByBlockNumber": NOT_ENABLED})
    found = look(node, is_development=True)
    assert list(found) == ["node 10.0.0.1:8545", "head", "quorum"]
    assert found["quorum"].state is State.NOT_APPLICABLE
    assert "do not apply" in found["quorum"].text
    assert "qbft_getValidatorsByBlockNumber" not in node.asked


def test_recorded_peers_are_the_networks_other_nodes():
    seen = addresses(read_peers(RecordedNode()))
    own = own_enode(RecordedNode()).address
    assert {address.lower() for address in seen | {own}} == NODES


def test_peers_are_held_to_the_registry():
    node = RecordedNode()
    everybody = addresses(read_peers(node)) | {own_enode(node).address}
    port = [named(node, "127.0.0.1:8546")]

    assert look(node, operations=port, registered=everybody)["peers"].state is State.WELL
    away = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
    found = look(node, operations=port, registered=everybody | {away})["peers"]
    assert (found.state, found.text) == (State.WRONG, f"127.0.0.1:8546 lacks {away}.")
    stranger = sorted(addresses(read_peers(node)))[0]
    found = look(node, operations=port, registered=everybody - {stranger})["peers"]
    assert (found.state, found.text) == (State.WRONG, f"127.0.0.1:8546 has strangers: {stranger}.")


def test_nodes_of_ours_that_validate_nothing_are_no_strangers():
    assert peers_point([("a", {"0x1", "0x2"})], registered={"0x1"}, own={"0x2"}).state is State.WELL


@pytest.mark.parametrize(
    ("answers", "registered"),
    [
        ({}, None),
        ({"admin_peers": ChainAccessRefusedError("no token")}, {"0x1"}),
        ({"admin_peers": "rubbish"}, {"0x1"}),
    ],
)
def test_peers_that_cannot_be_read_are_unknown(answers, registered):
    port = [named(RecordedNode(answers=answers))]
    assert look(RecordedNode(), operations=port, registered=registered)["peers"].state is State.UNKNOWN


def test_before_a_consortium_is_founded_no_peer_is_a_stranger():
    found = look(RecordedNode(), operations=[named(RecordedNode())], registered=set())["peers"]
    assert (found.state, "No registry lists a node yet" in found.text) == (State.UNKNOWN, True)


def test_all_turns_of_the_recording_are_accounted_for():
    turns = read_turns(RecordedNode(head=110), 110)
    assert (turns.first, turns.last) == (1, 110)
    assert turns.missed_count == sum(NETWORK["rounds_above_0"].values())
    assert turns.proposed == {header["miner"] for header in HEADERS[1:]}


def test_only_blocks_with_a_round_ask_for_their_validators():
    node = RecordedNode(head=20)
    read_turns(node, 20)
    assert node.asked.count("qbft_getValidatorsByBlockNumber") == 1


def test_words_tell_what_to_do_only_where_something_is_to_be_done():
    assert lines_of(Point("head", State.WRONG, "Old.", "Do this.")) == ["WRONG  head: Old.", "       Do this."]
    assert lines_of(Point("head", State.WELL, "Young.", "Do this.")) == ["well   head: Young."]
