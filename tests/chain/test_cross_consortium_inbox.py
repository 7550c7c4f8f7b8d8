"""Another consortium's release, carried from one chain to another and checked by a contract: real headers of a real
Besu network, and two chains of our own with the real contracts on both."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from consortium.kernel.digests import keccak256
from consortium.kernel.eip712 import Domain, typed_hash
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.kernel.secp256k1 import sign_digest
from contracts.artifacts import Artifacts
from contracts.crosschain.anchors import Anchor, set_digest
from contracts.crosschain.deliveries import EventPlace, advance_arguments, deliver_arguments
from contracts.errors import TransactionRevertedError
from contracts.gateway import Gateway
from contracts.reading.block_proofs import header_bytes
from contracts.reading.evidence import EvidenceGateway, written_header
from tests.chain.anvil import Anvil
from tests.chain.sealed import SealedChain, validators
from tests.chain.test_verified_state import verifier
from tests.integration.agent.networks import Network

DATA = Path(__file__).parents[1] / "data"
ARTIFACTS = Artifacts([Path(__file__).parents[2] / "contracts" / "abi", DATA / "contracts"])
HOME_CHAIN_ID = 417_002
STRANGER = "0x" + "ab" * 20
MODEL, RUN, CARD, DECISION = (bytes([number]) * 32 for number in (1, 2, 3, 4))

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def home_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with Anvil(tmp_path_factory.mktemp("home"), chain_id=HOME_CHAIN_ID).start() as node:
        yield node


@pytest.fixture
def home(home_node: Anvil) -> Network:
    """A consortium that takes messages; its governance is the test's account, so that no vote is needed here."""
    network = Network(Gateway([home_node.url], chain_id=HOME_CHAIN_ID, artifacts=ARTIFACTS))
    relay = network.relay.address
    source = network.deploy("ValidatorSource", 1, relay, relay, [relay])
    founder = {
        **{"id": uuid_to_bytes32(uuid.uuid4()), "voteKey": Account.create().address},
        **{"siteKey": Account.create().address, "validator": relay, "profile": bytes([6]) * 32},
    }
    rule = {"quorumBps": 1, "thresholdBps": 1, "periodSeconds": 600, "minimumVotes": 1, "excludeAuthor": False}
    parameters = {
        **{"witnessQuorum": 1, "minimumValidators": 1, "commitmentMaxAgeBlocks": 20},
        **{"asOfToleranceSeconds": 60, "maxAbandonedAttempts": 5, "admissionIntervalSeconds": 0},
    }
    given = ([founder], [rule] * 4, parameters, bytes([5]) * 32, [bytes([7]) * 32])
    registry = network.deploy("ConsortiumRegistry", relay, source, *given)
    network.deploy("CrossConsortiumInbox", registry)
    return network


def opened(home: Network, anchor: Anchor) -> bytes:
    home.transact("ConsortiumRegistry", "setPeer", anchor.peer, True)
    home.transact("CrossConsortiumInbox", "open", anchor.struct)
    assert home.gateway.call(home.reference("CrossConsortiumInbox"), "peerOf", anchor.peer)["height"] == anchor.height
    return anchor.peer


def act(home: Network, function: str, *arguments: Any) -> None:
    """Simulated first, for its refusal in words."""
    inbox = home.reference("CrossConsortiumInbox")
    home.gateway.simulate(inbox, function, *arguments, sender=home.relay.address)
    home.transact("CrossConsortiumInbox", function, *arguments)


def refusal(home: Network, function: str, *arguments: Any) -> str:
    inbox = home.reference("CrossConsortiumInbox")
    with pytest.raises(TransactionRevertedError) as refused:
        home.gateway.simulate(inbox, function, *arguments, sender=home.relay.address)
    return refused.value.error


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    network = json.loads((DATA / "besu" / "network.json").read_text())
    blocks = [json.loads(line) for line in (DATA / "besu" / "blocks.jsonl").read_text().splitlines()]
    proofs = [json.loads(line) for line in (DATA / "besu" / "proofs.jsonl").read_text().splitlines()]
    return {"network": network, "blocks": {int(b["number"], 16): b for b in blocks}, "proofs": proofs}


@pytest.fixture(scope="module")
def changes(recorded: dict[str, Any]) -> list[tuple[int, list[str], dict[str, Any]]]:
    """For each block with a proof of the list: its number, who sealed it, the proof."""
    found = {}
    for row in recorded["proofs"]:
        answer = row["response"].get("result")
        if row["block"] and answer and int(answer["address"], 16) == int(source_of(recorded), 16):
            found[row["block"]] = answer
    last = max(recorded["blocks"])
    return [(number, in_force(recorded, number), found[number]) for number in sorted(found) if number < last]


class TestARealNetwork:
    """Recordings: five nodes, and a list of validators that changed in 8 blocks."""

    def test_each_change_of_its_validators_is_proven_forward(self, home: Network, recorded: Any, changes: Any) -> None:
        peer = opened(home, recorded_anchor(recorded))
        sets = []
        for number, sealers, proof in changes:
            act(home, "advance", *recorded_advance(peer, recorded, number, sealers, proof))
            known = home.gateway.call(home.reference("CrossConsortiumInbox"), "peerOf", peer)
            sets.append(known["validators"])
            assert known["validators"] == set_digest(in_force(recorded, number + 1))

        assert len(set(sets)) > 4

    def test_a_set_that_was_replaced_seals_nothing_any_more(self, home: Network, recorded: Any, changes: Any) -> None:
        peer = opened(home, recorded_anchor(recorded))
        number, sealers, proof = next(row for row in changes if in_force(recorded, row[0] + 1) != row[1])
        act(home, "advance", *recorded_advance(peer, recorded, number, sealers, proof))

        later = recorded_advance(peer, recorded, number + 1, sealers, proof)
        assert refusal(home, "advance", *later) == "InboxWrongValidators"
        again = recorded_advance(peer, recorded, number, in_force(recorded, number + 1), proof)
        assert refusal(home, "advance", *again) == "InboxNotAbove"


def source_of(recorded: Any) -> str:
    address: str = recorded["network"]["contracts"]["ValidatorSource"]["address"]
    return address


def in_force(recorded: Any, number: int) -> list[str]:
    """The validators that seal block `number`."""
    for entry in recorded["network"]["validators"]:
        if entry["from_block"] <= number <= entry["to_block"]:
            return list(entry["members"])
    raise AssertionError(f"no set for block {number}")


def recorded_anchor(recorded: Any) -> Anchor:
    genesis = recorded["blocks"][0]
    validators_at_start = set_digest(in_force(recorded, 1))
    return Anchor(20_261, STRANGER, source_of(recorded), 0, bytes.fromhex(genesis["hash"][2:]), validators_at_start, 0)


def recorded_advance(peer: bytes, recorded: Any, number: int, sealers: list[str], proof: Any) -> tuple[Any, ...]:
    slot = next(entry for entry in proof["storageProof"] if int(entry["key"], 16) == 0)
    header = header_bytes(written_header(recorded["blocks"][number]))
    nodes = [[bytes.fromhex(node[2:]) for node in nodes] for nodes in (proof["accountProof"], slot["proof"])]
    return peer, header, sorted(sealers, key=lambda address: int(address, 16)), *nodes


class TestTwoChains:
    """The real ModelRegistry and ValidatorSource on one chain, the real inbox on another."""

    @pytest.fixture
    def foreign(self, anvil: Anvil) -> Network:
        gateway = EvidenceGateway([anvil.url], chain_id=anvil.chain_id, artifacts=ARTIFACTS)
        network = Network(gateway)
        self.site = Account.create()
        self.author = uuid_to_bytes32(uuid.uuid4())
        neighbors = network.deploy("Neighbors", self.author, self.site.address)
        network.deploy("ModelRegistry", neighbors, neighbors, neighbors)
        self.sealers = validators(5)
        first = [account.address for account in self.sealers[:4]]
        network.deploy("ValidatorSource", 4, network.relay.address, network.relay.address, first)
        self.chain = SealedChain(gateway, self.sealers[:4])
        return network

    @pytest.fixture
    def peer(self, home: Network, foreign: Network) -> bytes:
        height = foreign.gateway.head().number
        anchor = Anchor(
            foreign.gateway.chain_id,
            foreign.addresses["ModelRegistry"],
            foreign.addresses["ValidatorSource"],
            height,
            self.chain.hash(height),
            set_digest([account.address for account in self.sealers[:4]]),
        )
        return opened(home, anchor)

    def release(self, foreign: Network) -> tuple[EventPlace, EventPlace]:
        """Register and release a model at the other consortium; return where the two events lie."""
        domain = Domain("ModelRegistry", foreign.gateway.chain_id, foreign.addresses["ModelRegistry"])
        digest = typed_hash(domain, "RegisterCandidate", {"model": MODEL, "run": RUN, "card": CARD})
        signature = sign_digest(digest, bytes(self.site.key))
        registered = foreign.transact("ModelRegistry", "registerCandidate", MODEL, RUN, CARD, signature)
        released = foreign.transact("ModelRegistry", "release", MODEL, DECISION)
        return EventPlace(registered.block_number, 0, 0), EventPlace(released.block_number, 0, 0)

    def members(self, count: int = 4) -> list[str]:
        return [account.address for account in self.sealers[:count]]

    def known(self, home: Network, peer: bytes) -> Any:
        return home.gateway.call(home.reference("CrossConsortiumInbox"), "foreignModelOf", peer, MODEL)

    def test_a_released_model_is_known_at_the_other_consortium_and_its_recall_too(
        self, home: Network, foreign: Network, peer: bytes
    ) -> None:
        for place in self.release(foreign):
            act(home, "deliver", *deliver_arguments(self.chain, peer, place, self.members()))
        assert (self.known(home, peer)["card"], self.known(home, peer)["decision"]) == (CARD, DECISION)
        assert home.gateway.call(home.reference("CrossConsortiumInbox"), "isReleased", peer, MODEL)

        recalled = foreign.transact("ModelRegistry", "recall", MODEL, DECISION)
        place = EventPlace(recalled.block_number, 0, 0)
        act(home, "deliver", *deliver_arguments(self.chain, peer, place, self.members()))
        assert not home.gateway.call(home.reference("CrossConsortiumInbox"), "isReleased", peer, MODEL)

    def test_a_release_from_before_a_change_of_validators_is_linked_to_a_block_after_it(
        self, home: Network, foreign: Network, peer: bytes
    ) -> None:
        _, released = self.release(foreign)
        five = self.members(5)
        changed = foreign.transact("ValidatorSource", "replaceValidators", five).block_number
        source = foreign.addresses["ValidatorSource"]
        act(home, "advance", *advance_arguments(self.chain, peer, source, changed, self.members()))

        alone = deliver_arguments(self.chain, peer, released, self.members())
        assert refusal(home, "deliver", *alone) == "InboxNotAbove"
        assert self.known(home, peer)["state"] == 0
        act(home, "deliver", *deliver_arguments(self.chain, peer, released, [], up_to=changed))
        assert self.known(home, peer)["state"] == 1

    def test_retired_validators_cannot_forge_a_release(self, home: Network, foreign: Network, peer: bytes) -> None:
        _, released = self.release(foreign)
        others = [*self.members(5)[1:]]
        changed = foreign.transact("ValidatorSource", "replaceValidators", others).block_number
        source = foreign.addresses["ValidatorSource"]
        act(home, "advance", *advance_arguments(self.chain, peer, source, changed, self.members()))
        foreign.transact("ModelRegistry", "recall", MODEL, DECISION)
        later = foreign.gateway.head().number

        # those who were in force before sign whatever they like, and name themselves or those in force now
        forged = SealedChain(self.chain.gateway, self.sealers[:4])
        place = EventPlace(later, 0, 0)
        by_themselves = deliver_arguments(forged, peer, place, self.members())
        by_others = deliver_arguments(forged, peer, place, others)
        assert refusal(home, "deliver", *by_themselves) == "InboxWrongValidators"
        assert refusal(home, "deliver", *by_others) == "InboxSealNotOfValidator"
        assert released.block < later
        assert self.known(home, peer)["state"] == 0

    def test_another_contract_of_that_chain_says_nothing(self, home: Network, foreign: Network, peer: bytes) -> None:
        foreign.deploy("ModelRegistry", *[foreign.addresses["Neighbors"]] * 3)
        _, released = self.release(foreign)

        arguments = deliver_arguments(self.chain, peer, released, self.members())
        assert refusal(home, "deliver", *arguments) == "InboxForeignEmitter"

    def test_a_proof_with_one_bit_changed_is_refused(self, home: Network, foreign: Network, peer: bytes) -> None:
        _, released = self.release(foreign)
        _, (header,), members, receipt = deliver_arguments(self.chain, peer, released, self.members())
        node = bytes([receipt["nodes"][0][0] ^ 1]) + receipt["nodes"][0][1:]

        for changed in (
            (peer, [header[:40] + bytes([header[40] ^ 1]) + header[41:]], members, receipt),
            (peer, [header], members, receipt | {"nodes": [node, *receipt["nodes"][1:]]}),
            (peer, [header], members[:3], receipt),
            (keccak256(peer), [header], members, receipt),
        ):
            refusal(home, "deliver", *changed)
        assert self.known(home, peer)["state"] == 0
        act(home, "deliver", peer, [header], members, receipt)

    def test_the_verifier_is_of_one_mind_with_the_contract_about_a_delivery(
        self, home: Network, foreign: Network, peer: bytes
    ) -> None:
        _, released = self.release(foreign)
        delivery = deliver_arguments(self.chain, peer, released, self.members())

        def verified(header: dict[str, str], members: list[str], nodes: list[bytes]) -> bool:
            headers, seals, receipts = (verifier(f"chain.{name}") for name in ("headers", "seals", "receipts"))
            read = headers.read_header(header)
            ascending = tuple(bytes.fromhex(member[2:]) for member in members)
            seals.require_sealed(read, verifier("chain.validators").ValidatorSet(ascending))
            logs = receipts.proven_receipt(read.receipts_root, 0, nodes).logs
            return bytes(logs[0].address) == bytes.fromhex(foreign.addresses["ModelRegistry"][2:])

        header, members, nodes = self.chain.header(released.block), delivery[2], delivery[3]["nodes"]
        assert verified(header, members, nodes)
        act(home, "deliver", *delivery)
        refused = verifier("findings").RefusedError
        few = self.chain.sealed_by(self.sealers[:2], released.block)
        other = [bytes([nodes[0][0] ^ 1]) + nodes[0][1:], *nodes[1:]]
        for changed in ((few, members, nodes), (header, self.members(5)[1:], nodes), (header, members, other)):
            with pytest.raises(refused):
                verified(*changed)
