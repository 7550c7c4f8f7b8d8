"""Hashes, receipts and proofs of blocks, held to the recordings of a real network."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import rlp

from consortium.kernel.digests import keccak256
from contracts.network.errors import HeaderError
from contracts.reading.block_proofs import header_bytes, prove_receipt, receipt_bytes, sealed_hash
from contracts.reading.evidence import written_header
from contracts.reading.genesis_state import prove_genesis
from contracts.reading.tries import EMPTY_ROOT, ordered_proof, ordered_root, state_proof, state_root
from contracts.rpc.forms import header_of

DATA = Path(__file__).parents[2] / "data" / "besu"
BLOCKS = {
    int(block["number"], 16): block for block in map(json.loads, (DATA / "blocks.jsonl").read_text().splitlines())
}
RECEIPTS = {
    row["number"]: row["receipts"] for row in map(json.loads, (DATA / "receipts.jsonl").read_text().splitlines())
}
PROOFS = [json.loads(line) for line in (DATA / "proofs.jsonl").read_text().splitlines()]


def followed(root: bytes, nodes: list[bytes], path: list[int]) -> bytes:
    """Walk a proof down by the yellow paper; each node must be what the one above it names."""
    expected: Any = root
    for node in nodes:
        assert keccak256(node) == expected
        expected, path = _step(rlp.decode(node), path)
        while isinstance(expected, list):
            expected, path = _step(expected, path)
    assert path == []
    return bytes(expected)


def _step(node: Any, path: list[int]) -> tuple[Any, list[int]]:
    if len(node) == 17:
        return (node[path[0]], path[1:]) if path else (node[16], [])
    digits = [digit for byte in node[0] for digit in (byte >> 4, byte & 15)]
    part = digits[1:] if digits[0] % 2 else digits[2:]
    assert path[: len(part)] == part
    return node[1], path[len(part) :]


def nibbles(key: bytes) -> list[int]:
    return [digit for byte in key for digit in (byte >> 4, byte & 15)]


def test_every_recorded_block_is_called_by_its_header_without_round_and_seals():
    assert len(BLOCKS) == 111
    for block in BLOCKS.values():
        assert sealed_hash(written_header(block)).hex() == block["hash"][2:]
    for first, second in pairwise(sorted(BLOCKS)):
        assert BLOCKS[second]["parentHash"] == BLOCKS[first]["hash"]


def test_a_header_that_no_validators_sealed_has_no_such_hash():
    plain = written_header(BLOCKS[1]) | {"extraData": "0x"}
    with pytest.raises(HeaderError, match="not QBFT's"):
        sealed_hash(plain)
    assert keccak256(header_bytes(plain)) != bytes.fromhex(BLOCKS[1]["hash"][2:])


def test_the_receipts_of_each_recorded_block_lead_to_its_root_and_each_is_proven():
    assert len(RECEIPTS) == 26
    for number, receipts in RECEIPTS.items():
        root = bytes.fromhex(BLOCKS[number]["receiptsRoot"][2:])
        assert ordered_root([receipt_bytes(receipt) for receipt in receipts]) == root
        for index in range(len(receipts)):
            proof = prove_receipt(receipts, index)
            assert followed(root, proof.nodes, nibbles(rlp.encode(index))) == proof.receipt


@pytest.mark.parametrize("count", [1, 2, 127, 128, 129, 300])
def test_each_item_of_a_trie_of_any_size_is_proven(count):
    values = [b"item %d" % index * (1 + index % 7) for index in range(count)]
    root = ordered_root(values)
    for index in {0, count // 2, count - 1}:
        assert followed(root, ordered_proof(values, index), nibbles(rlp.encode(index))) == values[index]


def test_there_is_no_proof_of_what_is_not_there():
    assert ordered_root([]) == EMPTY_ROOT
    with pytest.raises(IndexError, match="has 1 items"):
        ordered_proof([b"one"], 1)
    with pytest.raises(IndexError):
        ordered_proof([b"one"], -1)
    with pytest.raises(KeyError):
        state_proof({bytes(32): b"\x01"}, bytes([1]) * 32)
    assert state_root({}) == EMPTY_ROOT


class Block0:
    """The recorded network as far as its first block."""

    def header(self, number: int) -> dict[str, str]:
        return written_header(BLOCKS[number])

    def block(self, number: int) -> Any:
        return header_of(BLOCKS[number])


def test_a_proof_from_the_genesis_file_is_the_one_that_the_network_gave(monkeypatch):
    document = json.loads((DATA / "genesis.json").read_text())
    answer = next(row for row in PROOFS if row["label"] == "source at genesis")["response"]["result"]
    # That network's list is an earlier one, which keeps its digest in slot 0.
    monkeypatch.setattr("contracts.reading.genesis_state.DIGEST_SLOT", 0)
    monkeypatch.setattr("contracts.reading.genesis_state._LIST_SLOT", 1)

    found = prove_genesis(Block0(), document, answer["address"])

    slot = next(entry for entry in answer["storageProof"] if int(entry["key"], 16) == 0)
    assert found.account_nodes == answer["accountProof"]
    assert found.digest_nodes == slot["proof"]
