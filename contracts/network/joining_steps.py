"""What is looked at in each step of a new member's node; `joining` has their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.errors import ChainUnavailableError
from contracts.network.applicants import Applicant
from contracts.network.asking import NamedNode, Node
from contracts.network.enodes import Enode, parse_enode
from contracts.network.headers import read_header, sealed_header
from contracts.network.peers import permitted_nodes
from contracts.network.points import Point, State
from contracts.network.readings import read_nodes
from contracts.network.sync import seen_in_sync
from contracts.network.turns import validators_after

NONE, ACTIVE, SUSPENDED, REMOVED = range(4)
MAX_BEHIND_BLOCKS = 5
MAX_AGE_SECONDS = 30
# Each validator has its turn once in as many blocks as there are validators; three rings leave room for a missed one.
RINGS = 3


@dataclass(frozen=True)
class Candidate:
    """What is looked at: the application, the registry's record, our nodes, and the new node if it is within reach.

    `record` is the registry's struct, None where no contracts stand.
    """

    applicant: Applicant | None
    record: Mapping[str, Any] | None
    nodes: Sequence[NamedNode]
    operations: Sequence[NamedNode] = ()
    own: Node | None = None
    is_development: bool = False
    now: float | None = None

    @property
    def validator(self) -> str:
        """The address that the registry lists, else the one applied with."""
        listed = str(self.record["validator"]) if self.record and self.record["status"] != NONE else ""
        return listed or (self.applicant.validator if self.applicant else "")

    @property
    def enode(self) -> Enode:
        return parse_enode(self.applicant.enode if self.applicant else "")


def applied(candidate: Candidate) -> Point:
    applicant = candidate.applicant
    if applicant is None:
        return _waiting("There is no application.", "The organization's administrator applies at the portal.")
    if not applicant.validator:
        return _wrong("The application names no validator.", "Apply with the address of the organization's node.")
    if candidate.is_development:
        return _well(f"{applicant.name} has applied; its node is {applicant.validator}.")
    if not applicant.enode:
        return _waiting("The application names no enode.", "Give it with --enode, as `net_enode` of the node shows it.")
    if candidate.enode.address.lower() != applicant.validator.lower():
        text = f"The enode is that of {candidate.enode.address}, and the application names {applicant.validator}."
        return _wrong(text, "Give the enode of the node that validates, or apply with its address.")
    return _well(f"{applicant.name} has applied; its node is {candidate.enode}.")


def admitted(candidate: Candidate) -> Point:
    record, applicant = candidate.record, candidate.applicant
    status = NONE if record is None else record["status"]
    if status == NONE:
        return _waiting("It is not admitted.", "A member proposes `admit` from its agent, and two thirds vote for it.")
    if status in (SUSPENDED, REMOVED):
        word = "suspended" if status == SUSPENDED else "removed"
        return _wrong(f"The registry lists it as {word}.", "Only a vote changes that.")
    listed = str(record["validator"]) if record else ""
    if applicant and listed.lower() != applicant.validator.lower():
        text = f"The registry lists the node {listed}, and the application names {applicant.validator}."
        return _wrong(text, "A vote replaces the key (`replace_key`), or the application is corrected.")
    return _well(f"It is admitted; the registry lists its node {listed}.")


def permitted(candidate: Candidate) -> Point:
    if candidate.is_development:
        return _DEVELOPMENT
    if not candidate.operations:
        text = "Whether the members' nodes permit it cannot be seen from here."
        return Point("", State.UNKNOWN, text, "Each member looks: `perm_getNodesAllowlist` names its enode.")
    lacking = [node.name for node in candidate.operations if not _is_listed(candidate.enode, node.node)]
    if lacking:
        text = f"Not on the allow-list of {', '.join(lacking)}."
        return _waiting(text, "The reconciler adds it, or the operator: `perm_addNodesToAllowlist`.")
    return _well("It is on the allow-list of every node that can be seen from here.")


def _is_listed(enode: Enode, operations: Node) -> bool:
    return enode in permitted_nodes(operations)


def reached(candidate: Candidate) -> Point:
    if candidate.is_development:
        return _DEVELOPMENT
    if candidate.own is None:
        text = "The new node itself is not asked: --node is not given."
        return Point("", State.UNKNOWN, text, "Give --node, or let the others' peers tell (the next step).")
    own, *ours = read_nodes([NamedNode("the new node", candidate.own), *candidate.nodes], now=candidate.now)
    if own.fault:
        return _waiting(own.fault, "Start the node, or correct --node and its token.")
    if any(row.genesis and row.genesis != own.genesis for row in ours):
        return _wrong("It is on another chain: its genesis differs.", "Start it with the members' genesis.json.")
    if not own.peers:
        return _waiting("It has no peers.", "Check its static-nodes.json, its firewall, and the others' allow-lists.")
    return _well(f"It answers, on the right chain, with {own.peers} peers.")


def in_sync(candidate: Candidate) -> Point:
    if candidate.is_development:
        return _DEVELOPMENT
    found = [*_by_itself(candidate), *_by_others(candidate)]
    for state in (State.WRONG, State.WAITING):
        if bad := [point for point in found if point.state is state]:
            return _waiting(bad[0].text, bad[0].remedy)
    if not any(point.state is State.WELL for point in found):
        text = " ".join(point.text for point in found) or "Whether it is in sync cannot be seen from here."
        return _waiting(text, "Give --node, or name operations ports in CHAIN_OPERATIONS_URL.")
    return _well(" ".join(point.text for point in found if point.state is State.WELL))


def _by_itself(candidate: Candidate) -> list[Point]:
    """Hold the new node's head to ours: the same block, and few behind."""
    if candidate.own is None:
        return []
    own, *ours = read_nodes([NamedNode("", candidate.own), *candidate.nodes], now=candidate.now)
    top = max((row.height for row in ours if not row.fault), default=0)
    if own.fault or top - own.height > MAX_BEHIND_BLOCKS:
        text = own.fault or f"It is at block {own.height} of {top}: it still reads the chain."
        return [_waiting(text, "Wait, then ask again.")]
    if own.age_seconds > MAX_AGE_SECONDS:
        return [_waiting(f"Its newest block is {own.age_seconds} s old.", "Does the network make blocks at all?")]
    at = min(own.height, top)
    hashes = {read_header(node, at)["hash"] for node in (candidate.own, *_answering(candidate))}
    if len(hashes) > 1:
        return [Point("", State.WRONG, f"Its block {at} is another one than ours.", "Let it read the chain anew.")]
    return [_well(f"It is at block {own.height} of {top}.")]


def _answering(candidate: Candidate) -> list[Node]:
    readings = read_nodes(candidate.nodes, now=candidate.now)
    return [node.node for node, row in zip(candidate.nodes, readings, strict=True) if not row.fault]


def _one_node(candidate: Candidate) -> Node:
    if not (found := _answering(candidate)):
        raise ChainUnavailableError("None of our nodes answers.")
    return found[0]


def _by_others(candidate: Candidate) -> list[Point]:
    return [seen_in_sync(candidate.validator, port.node, now=candidate.now) for port in candidate.operations]


def activated(candidate: Candidate) -> Point:
    if candidate.record is None or not candidate.record["isValidating"]:
        remedy = "A member proposes `activate_validator`; each voter's agent shows whether its node sees the new one."
        return _waiting("Its validator is not activated.", remedy)
    if candidate.is_development:
        return _well("The registry lists it as validating.")
    node = _one_node(candidate)
    head = int(read_header(node, "latest")["number"], 16)
    if candidate.validator.lower() not in validators_after(node, head):
        text = "The registry lists it as validating, and the network's own list does not."
        return _wrong(text, "Is the registry the writer of the list that genesis names?")
    return _well("It is one of the validators in force.")


def proposing(candidate: Candidate) -> Point:
    if candidate.is_development:
        return _DEVELOPMENT
    node = _one_node(candidate)
    head = int(read_header(node, "latest")["number"], 16)
    first = max(1, head - RINGS * len(validators_after(node, head)) + 1)
    for number in range(head, first - 1, -1):
        if sealed_header(read_header(node, number)).proposer == candidate.validator.lower():
            return _well(f"It proposed block {number}.")
    text = f"It proposed none of the blocks {first} to {head}."
    return _waiting(text, "Its turn comes within a ring of validators; if not, is the node up?")


def _well(text: str) -> Point:
    return Point("", State.WELL, text)


def _waiting(text: str, remedy: str) -> Point:
    return Point("", State.WAITING, text, remedy)


def _wrong(text: str, remedy: str) -> Point:
    return Point("", State.WRONG, text, remedy)


_DEVELOPMENT = Point("", State.NOT_APPLICABLE, "A development chain has one node, so there is none to join.")
