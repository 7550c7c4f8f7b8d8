"""The steps of a new member's node, on the recorded network that took a fifth node in."""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from contracts.errors import ChainUnavailableError
from contracts.network.applicants import Applicant
from contracts.network.joining import Candidate, exit_status, look_at_steps
from contracts.network.points import State
from tests.unit.contracts.network.nodes import HEADERS, RECORDED, RecordedNode, named, time_of

SPARE = "0x5544914129cddC8cf07A0D848A0AC599dc3f6DF0"
ENODE = next(row["enode"] for row in RECORDED["peers"]["result"] if ":30307" in row["enode"])
APPLICANT = Applicant(uuid.uuid4(), "Valley Hospital", uuid.uuid4(), SPARE, ENODE)
RECORD = {"status": 1, "isValidating": False, "validator": SPARE}
NAMES = ["applied", "admitted", "permitted", "reached", "in sync", "activated", "proposing"]


def port(head: int, **answers: Any) -> RecordedNode:
    known = {"eth_getBlockByHash": HEADERS[max(1, head - 1)], "perm_getNodesAllowlist": [ENODE]}
    return RecordedNode(head=head, answers=known | answers)


def candidate(head: int = 18, **changes: Any) -> Candidate:
    whole = Candidate(
        applicant=APPLICANT,
        record=RECORD,
        nodes=[named(RecordedNode(head=head))],
        operations=[named(port(head), "127.0.0.1:8546")],
        own=RecordedNode(head=head),
        now=time_of(head) + 1,
    )
    return replace(whole, **changes)


def states(found: Candidate) -> list[str]:
    return [step.state.value for step in look_at_steps(found)]


def test_a_node_that_is_up_waits_for_its_activation():
    steps = look_at_steps(candidate())
    assert [step.name for step in steps] == NAMES
    assert [step.state for step in steps] == [State.WELL] * 5 + [State.WAITING, State.NOT_APPLICABLE]
    assert "activate_validator" in steps[5].remedy
    assert exit_status(steps) == 1


def test_a_node_that_was_activated_and_proposed_is_done():
    # The spare was put on the list in block 20.
    made = next(int(header["number"], 16) for header in HEADERS[21:] if header["miner"] == SPARE.lower())
    steps = look_at_steps(candidate(head=made, record=RECORD | {"isValidating": True}))
    assert {step.state for step in steps} == {State.WELL}
    assert steps[-1].text == f"It proposed block {made}."
    assert exit_status(steps) == 0


def test_one_that_was_activated_but_has_not_proposed_yet_is_waited_for():
    steps = look_at_steps(candidate(head=20, record=RECORD | {"isValidating": True}))
    assert [step.state for step in steps[-2:]] == [State.WELL, State.WAITING]
    assert "none of the blocks" in steps[-1].text


def test_a_registry_that_does_not_write_the_networks_list_is_found():
    steps = look_at_steps(candidate(head=18, record=RECORD | {"isValidating": True}))
    assert (steps[5].state, exit_status(steps)) == (State.WRONG, 2)
    assert "the network's own list does not" in steps[5].text


APPLICATIONS: list[tuple[Applicant | None, State, str]] = [
    (None, State.WAITING, "no application"),
    (replace(APPLICANT, validator=""), State.WRONG, "names no validator"),
    (replace(APPLICANT, enode=""), State.WAITING, "no enode"),
    (replace(APPLICANT, validator="0x" + "11" * 20), State.WRONG, "The enode is that of"),
    (replace(APPLICANT, enode="enode://xx"), State.WAITING, "An enode reads"),
]


@pytest.mark.parametrize(("applicant", "state", "said"), APPLICATIONS)
def test_an_application_that_does_not_name_its_node_stops_at_the_first_step(applicant, state, said):
    node = RecordedNode()
    steps = look_at_steps(candidate(applicant=applicant, nodes=[named(node)]))
    assert steps[0].state is state
    assert said in steps[0].text
    assert {step.text for step in steps[1:]} == {"Later."}
    assert node.asked == []


@pytest.mark.parametrize(
    ("record", "state", "said"),
    [
        (None, State.WAITING, "not admitted"),
        ({"status": 0, "validator": "0x" + "00" * 20}, State.WAITING, "not admitted"),
        (RECORD | {"status": 2}, State.WRONG, "suspended"),
        (RECORD | {"status": 3}, State.WRONG, "removed"),
        (RECORD | {"validator": "0x" + "22" * 20}, State.WRONG, "the application names"),
    ],
)
def test_only_an_active_member_with_the_node_it_applied_with_goes_on(record, state, said):
    step = look_at_steps(candidate(record=record))[1]
    assert step.state is state
    assert said in step.text


def test_a_node_that_is_not_permitted_yet_is_waited_for():
    steps = look_at_steps(candidate(operations=[named(port(18, perm_getNodesAllowlist=[]), "127.0.0.1:8546")]))
    assert steps[2].state is State.WAITING
    assert "127.0.0.1:8546" in steps[2].text


OWN: list[tuple[RecordedNode, State, str]] = [
    (RecordedNode(head=18, answers={"net_peerCount": "0x0"}), State.WAITING, "no peers"),
    (
        RecordedNode(answers={"eth_getBlockByNumber": ChainUnavailableError("It is away.")}),
        State.WAITING,
        "It is away.",
    ),
    (RecordedNode(answers={"eth_getBlockByNumber": HEADERS[3]}), State.WRONG, "another chain"),
]


@pytest.mark.parametrize(("own", "state", "said"), OWN)
def test_a_node_that_is_not_reached_is_told_why(own, state, said):
    step = look_at_steps(candidate(own=own))[3]
    assert step.state is state
    assert said in step.text


def test_a_node_that_still_reads_the_chain_is_waited_for():
    steps = look_at_steps(candidate(own=RecordedNode(head=12)))
    assert (steps[4].state, steps[4].text) == (State.WAITING, "It is at block 12 of 18: it still reads the chain.")


def test_a_node_with_another_block_at_our_height_is_not_in_sync():
    class Forked(RecordedNode):
        def _block(self, number: str) -> dict[str, Any] | None:
            found = super()._block(number)
            return found and found | ({"hash": "0x" + "11" * 32} if number == hex(18) else {})

    steps = look_at_steps(candidate(own=Forked(head=18)))
    assert steps[4].state is State.WAITING
    assert "another one than ours" in steps[4].text


def test_peers_alone_tell_where_the_new_node_is_out_of_reach():
    steps = look_at_steps(candidate(own=None))
    assert [step.state for step in steps[3:6]] == [State.UNKNOWN, State.WELL, State.WAITING]


def test_with_nothing_to_look_by_nothing_is_believed():
    steps = look_at_steps(candidate(own=None, operations=[]))
    assert [step.state for step in steps[2:5]] == [State.UNKNOWN, State.UNKNOWN, State.WAITING]
    assert exit_status(steps) == 1


def test_our_own_nodes_away_is_waited_for():
    away = RecordedNode(answers={"eth_getBlockByNumber": ChainUnavailableError("away")})
    steps = look_at_steps(candidate(nodes=[named(away)], record=RECORD | {"isValidating": True}, own=None))
    assert steps[5].state is State.WAITING


def test_on_a_development_chain_only_the_registry_is_looked_at():
    plain = replace(APPLICANT, enode="")
    found = candidate(applicant=plain, is_development=True, record=RECORD | {"isValidating": True}, nodes=[])
    steps = look_at_steps(found)
    assert [step.name for step in steps if step.state is State.WELL] == ["applied", "admitted", "activated"]
    assert exit_status(steps) == 0
    assert states(replace(found, record=RECORD))[5:] == ["waiting", "not_applicable"]
