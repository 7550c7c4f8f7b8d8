"""Headers, receipts and their proofs in the bytes that contracts and auditors check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import rlp

from consortium.kernel.digests import keccak256
from contracts.network.extra_data import decode_extra_data, encode_extra_data
from contracts.reading.evidence import FORK_MEMBERS, HEADER_MEMBERS
from contracts.reading.tries import ordered_proof

# Members that are numbers; the others are strings of bytes as they stand.
_NUMBERS = frozenset(
    {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"}
)


@dataclass(frozen=True)
class ReceiptProof:
    """That a transaction's receipt lies in its block; `nodes` from the root of the receipts' trie down."""

    index: int
    receipt: bytes
    nodes: list[bytes]


def header_bytes(header: Mapping[str, str]) -> bytes:
    """Return the RLP of a header as `written_header` gives it, QBFT's round and seals included."""
    members = [name for name in (*HEADER_MEMBERS, *FORK_MEMBERS) if name in header]
    encoded: bytes = rlp.encode([_member(name, header[name]) for name in members])
    return encoded


def sealed_hash(header: Mapping[str, str]) -> bytes:
    """Return the hash of a QBFT block (32 bytes): its header with round 0 and no seals; block 0 as it stands.

    Raises
    ------
    HeaderError
        If the header is another chain's.
    """
    if int(header["number"], 16) == 0:
        return keccak256(header_bytes(header))
    bare = replace(decode_extra_data(_raw(header["extraData"])), round=0, seals=())
    return keccak256(header_bytes({**header, "extraData": "0x" + encode_extra_data(bare).hex()}))


def receipt_bytes(receipt: Mapping[str, Any]) -> bytes:
    """Return a receipt, as a node answers it, in the bytes that the receipts' root covers (EIP-2718)."""
    logs = [
        [_raw(log["address"]), [_raw(topic) for topic in log["topics"]], _raw(log["data"])] for log in receipt["logs"]
    ]
    gas = int(receipt["cumulativeGasUsed"], 16)
    payload: bytes = rlp.encode([int(receipt["status"], 16), gas, _raw(receipt["logsBloom"]), logs])
    kind = int(receipt.get("type", "0x0"), 16)
    return bytes([kind]) + payload if kind else payload


def prove_receipt(receipts: Sequence[Mapping[str, Any]], index: int) -> ReceiptProof:
    """Prove one receipt of a block from all of the block's, in their order; `IndexError` if there is none."""
    encoded = [receipt_bytes(receipt) for receipt in receipts]
    return ReceiptProof(index=index, receipt=encoded[index], nodes=ordered_proof(encoded, index))


def _member(name: str, written: str) -> bytes:
    value = _raw(written)
    return value.lstrip(b"\0") if name in _NUMBERS else value


def _raw(written: str) -> bytes:
    digits = written.removeprefix("0x")
    return bytes.fromhex("0" * (len(digits) % 2) + digits)
