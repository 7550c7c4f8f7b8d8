"""Our own contracts' state and receipts on a real node, proven by the off-line verifier: no slot is taken on trust."""

import importlib
import sys
import time
from types import ModuleType
from typing import Any

import pytest
from eth_account import Account

from consortium.embedded.layout import project_root
from contracts.events import ContractReference
from contracts.gateway import Gateway
from contracts.relay import Relay
from tests.chain.anvil import Anvil

pytestmark = pytest.mark.services

DIGEST_SLOT, LIST_SLOT = 1, 0
GAS = 3_000_000


def verifier(name: str) -> ModuleType:
    folder = str(project_root() / "verifier")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(f"consilium_verify.{name}")


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def mined(gateway: Gateway, relay: Relay, to: str | None, data: bytes) -> Any:
    nonce = gateway.transaction_count(relay.address)
    signed = relay.sign(to=to, data=data, nonce=nonce, gas=GAS, chain_id=gateway.chain_id)
    gateway.send_raw(signed.raw)
    deadline = time.monotonic() + 5
    while (receipt := gateway.receipt(signed.hash)) is None:
        assert time.monotonic() < deadline, "it was not mined in time"
    assert receipt.succeeded
    return receipt


def words_of(anvil: Anvil, address: str, block: dict[str, Any], slots: list[int]) -> tuple[Any, dict[int, int]]:
    """The account and the words of slots, each proven under the block's state root."""
    accounts = verifier("chain.accounts")
    answer = anvil.ask("eth_getProof", address, [f"0x{slot:064x}" for slot in slots], block["number"])
    account = accounts.proven_account(
        raw(block["stateRoot"]), raw(address.lower()), list(map(raw, answer["accountProof"]))
    )
    words = {
        int(slot["key"], 16): accounts.proven_slot(
            account.storage_root, int(slot["key"], 16), list(map(raw, slot["proof"]))
        )
        for slot in answer["storageProof"]
    }
    return answer, words


def test_the_validators_contract_keeps_digest_and_list_where_the_verifier_looks(anvil: Anvil, relay: Relay) -> None:
    gateway = Gateway([anvil.url], chain_id=anvil.chain_id)
    members = sorted((Account.create().address for _ in range(5)), key=str.lower)
    made = mined(
        gateway, relay, None, gateway.deploy_data("ValidatorSource", 4, relay.address, relay.address, members[:4])
    )
    source = made.contract_address
    replacing = gateway.encode(ContractReference("ValidatorSource", source), "replaceValidators", members)
    replaced = mined(gateway, relay, source, replacing)
    block = anvil.ask("eth_getBlockByNumber", hex(replaced.block_number), False)
    validators, keccak256 = verifier("chain.validators"), verifier("ethereum").keccak256

    base = int.from_bytes(keccak256(LIST_SLOT.to_bytes(32, "big")), "big")
    answer, words = words_of(anvil, source, block, [LIST_SLOT, DIGEST_SLOT, *(base + i for i in range(5))])
    listed = validators.listed(words, LIST_SLOT)

    assert listed.members == tuple(raw(member.lower()) for member in members)
    [digest] = [slot["proof"] for slot in answer["storageProof"] if int(slot["key"], 16) == DIGEST_SLOT]
    proof = validators.SetProof(list(map(raw, answer["accountProof"])), list(map(raw, digest)))
    known = validators.Source(raw(source.lower()), DIGEST_SLOT)
    assert validators.proven_digest(raw(block["stateRoot"]), known, proof) == listed.digest


def test_a_replacement_of_validators_shows_in_the_blocks_bloom_and_receipts(anvil: Anvil, relay: Relay) -> None:
    gateway = Gateway([anvil.url], chain_id=anvil.chain_id)
    members = sorted((Account.create().address for _ in range(4)), key=str.lower)
    made = mined(gateway, relay, None, gateway.deploy_data("ValidatorSource", 4, relay.address, relay.address, members))
    block = anvil.ask("eth_getBlockByNumber", hex(made.block_number), False)
    answers, receipts, tries = verifier("node_answers"), verifier("chain.receipts"), verifier("chain.tries")

    header = answers.answered_header(block)
    encoded = [
        receipts.encode_receipt(answers.answered_receipt(receipt))
        for receipt in anvil.ask("eth_getBlockReceipts", block["number"])
    ]

    assert tries.list_root(encoded) == header.receipts_root
    assert receipts.may_hold(header.bloom, raw(made.contract_address.lower()))
    assert verifier("chain.headers").plain_hash(header) == raw(block["hash"])
