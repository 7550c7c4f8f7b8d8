"""Blocks of a QBFT network proven off-line by their validators' seals, the set followed forward from block 0.

The network is one that was given, whose nodes seal and prove by themselves, or an anvil on a genesis of ours behind a
socket that seals with test keys.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from consortium.kernel.errors import ConsiliumError
from contracts.errors import ChainError, ChainRequestError
from contracts.events import ContractReference, Receipt
from contracts.network.genesis import build_genesis
from contracts.network.members import Numbers
from contracts.network.predeployed import SOURCE_ADDRESS
from contracts.reading.capturing import Captured, WantedBlock, capture
from contracts.reading.evidence import EvidenceGateway
from contracts.reading.genesis_state import prove_genesis
from contracts.reading.validator_sets import DIGEST_SLOT, REPLACED
from contracts.relay import Relay
from tests.chain.anvil import Anvil
from tests.chain.given import given_network
from tests.chain.sealed import validators
from tests.chain.sealed_node import SealedNode
from tests.chain.test_chain_promises import mine
from tests.chain.test_verified_state import raw, verifier

pytestmark = pytest.mark.services
SOURCE = ContractReference("ValidatorSource", SOURCE_ADDRESS)
CHAIN_ID = 20_262
# Blocks that are followed one by one at the end, each sealed, each naming its parent.
FOLLOWED = 20


@pytest.fixture
def qbft_network(request: pytest.FixtureRequest, tmp_path: Path, relay: Relay) -> Iterator[EvidenceGateway]:
    if (given := given_network(request.config)) is not None:
        yield given.gateway
        return
    keys = validators(4)
    genesis = tmp_path / "genesis.json"
    built = build_genesis(Numbers("sealed", CHAIN_ID), [key.address for key in keys], relay=relay.address)
    genesis.write_text(json.dumps(built))
    with (
        Anvil(tmp_path, chain_id=CHAIN_ID, genesis=genesis).start() as anvil,
        SealedNode(anvil, SOURCE_ADDRESS, keys) as node,
    ):
        yield EvidenceGateway([node.url], chain_id=CHAIN_ID)


@pytest.fixture
def network(qbft_network: EvidenceGateway) -> EvidenceGateway:
    """One whose list of validators is the contract that `chain genesis` puts into block 0: its state can be proven."""
    try:
        qbft_network.call(SOURCE, "writer")
    except ConsiliumError:
        pytest.skip(f"the network's genesis has no ValidatorSource of ours at {SOURCE_ADDRESS}, as `chain genesis` has")
    return qbft_network


@pytest.fixture
def created(network: EvidenceGateway, relay: Relay) -> Receipt:
    """A contract of the shipped ones, whose creation emits events."""
    members = sorted((Account.create().address for _ in range(4)), key=str.lower)
    data = network.deploy_data("ValidatorSource", 4, relay.address, relay.address, members)
    nonce = network.transaction_count(relay.address)
    return mine(network, relay.sign(to=None, data=data, nonce=nonce, gas=3_000_000, chain_id=network.chain_id))


def first_block(network: EvidenceGateway) -> Captured:
    """Block 0, by the genesis file where BESU_GENESIS names it, else by the node that still has its state."""
    if path := os.environ.get("BESU_GENESIS", ""):
        return prove_genesis(network, json.loads(Path(path).read_text()), SOURCE_ADDRESS)
    return capture(network, WantedBlock(0, source=SOURCE))


def set_proof(found: Captured) -> Any:
    return verifier("chain.validators").SetProof(
        list(map(raw, found.account_nodes)), list(map(raw, found.digest_nodes))
    )


def sets_of(blocks: Sequence[Captured]) -> dict[bytes, Any]:
    made = [verifier("chain.validators").ValidatorSet(tuple(map(raw, block.validators))) for block in blocks]
    return {one.digest: one for one in made}


def header_of(members: Mapping[str, str]) -> Any:
    return verifier("chain.headers").read_header(members)


def followed_to(network: EvidenceGateway, target: Captured) -> Any:
    """The chain from block 0 over every change of its validators to the target's block."""
    first, number = first_block(network), int(target.header["number"], 16)
    changed = sorted({e.block_number for e in network.logs([SOURCE], 0, number) if e.name == REPLACED} - {0, number})
    blocks = [first, *(capture(network, WantedBlock(at, hash=_hash(network, at), source=SOURCE)) for at in changed)]
    begin = network.block(0)
    assert begin is not None
    history = verifier("chain.histories").History.begin(
        verifier("chain.validators").Source(raw(SOURCE_ADDRESS), DIGEST_SLOT),
        sets_of([*blocks, target]),
        header_of(first.header),
        begin.hash,
        set_proof(first),
    )
    for block in [*blocks[1:], target]:
        history.extend(header_of(block.header), set_proof(block))
    return history


def _hash(network: EvidenceGateway, number: int) -> str:
    found = network.block(number)
    assert found is not None
    return "0x" + found.hash.hex()


def captured(network: EvidenceGateway, receipt: Receipt) -> Captured:
    wanted = WantedBlock(
        receipt.block_number,
        hash="0x" + receipt.block_hash.hex(),
        transactions={"0x" + receipt.transaction_hash.hex()},
        source=SOURCE,
    )
    return capture(network, wanted)


def test_a_block_is_proven_by_its_seals_and_the_set_by_the_blocks_before_it(network, created):
    target = captured(network, created)
    history = followed_to(network, target)

    assert history.head_hash == created.block_hash
    assert history.in_force.members == tuple(map(raw, target.validators))


def test_every_block_is_sealed_by_a_quorum_of_the_validators_that_the_node_names(qbft_network, relay):
    """On any QBFT network, also one whose list is another contract's or stands in the headers."""
    nonce = qbft_network.transaction_count(relay.address)
    last = mine(
        qbft_network, relay.sign(to=relay.address, data=b"", nonce=nonce, gas=21_000, chain_id=qbft_network.chain_id)
    )
    headers, seals = verifier("chain.headers"), verifier("chain.seals")

    for number in range(max(1, last.block_number - FOLLOWED), last.block_number + 1):
        header = header_of(qbft_network.header(number))
        in_force = headers.read_extra(header).validators or _named(qbft_network, number - 1)
        seals.require_sealed(header, verifier("chain.validators").ValidatorSet(tuple(sorted(in_force))))
        assert headers.block_hash(header) == raw(_hash(qbft_network, number))


def _named(network: EvidenceGateway, number: int) -> list[bytes]:
    try:
        return [raw(str(address).lower()) for address in network.ask("qbft_getValidatorsByBlockNumber", [hex(number)])]
    except ChainRequestError:
        pytest.skip("the node serves no QBFT (--rpc-http-api), or is of no QBFT network")


def test_a_receipt_is_proven_to_lie_in_its_block(network, created):
    target = captured(network, created)
    [proof] = target.receipts
    receipts = verifier("chain.receipts")

    found = receipts.proven_receipt(raw(target.header["receiptsRoot"]), proof["index"], list(map(raw, proof["nodes"])))

    assert found.succeeded
    assert {log.address for log in found.logs} <= {raw(str(created.contract_address).lower())}


def test_the_next_blocks_follow_one_by_one_each_sealed_by_the_set_in_force(network, relay, created):
    history = followed_to(network, captured(network, created))
    for _ in range(3):
        nonce = network.transaction_count(relay.address)
        last = mine(network, relay.sign(to=relay.address, data=b"", nonce=nonce, gas=21_000, chain_id=network.chain_id))

    for number in range(created.block_number + 1, min(last.block_number, created.block_number + FOLLOWED) + 1):
        assert history.extend(header_of(network.header(number))) == raw(_hash(network, number))


def test_a_block_with_a_changed_seal_or_root_is_refused_with_the_reason(network, created):
    target = captured(network, created)
    refused = verifier("findings").RefusedError
    for member, at in (("extraData", -1), ("receiptsRoot", -1), ("stateRoot", -1)):
        text = target.header[member]
        flipped = text[:at] + format(int(text[at], 16) ^ 1, "x")
        forged = Captured(
            {**target.header, member: flipped}, target.account_nodes, target.digest_nodes, target.validators
        )
        with pytest.raises(refused):
            followed_to(network, forged)


def test_what_a_node_cannot_prove_any_more_is_an_error_that_says_so(network):
    with pytest.raises(ChainError):
        network.storage_proof(SOURCE_ADDRESS, DIGEST_SLOT, network.head().number + 1_000_000)
