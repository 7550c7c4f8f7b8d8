"""Receipts and their logs, proven under the receipts root of a block."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consilium_verify.chain import rlp
from consilium_verify.chain.tries import list_key, proven
from consilium_verify.ethereum import keccak256
from consilium_verify.findings import RefusedError

_BLOOM_BITS = 2048


@dataclass(frozen=True, slots=True)
class Log:
    """An event: the contract that emitted it, its topics and data."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a transaction came to. `kind` is its EIP-2718 type, `gas` what the block had used up to and with it."""

    kind: int
    succeeded: bool
    gas: int
    logs: tuple[Log, ...]


def proven_receipt(receipts_root: bytes, index: int, nodes: Sequence[bytes]) -> Receipt:
    """Return the receipt of the transaction of this index, from 0, which the block must have."""
    value = proven(receipts_root, list_key(index), nodes)
    if value is None:
        raise RefusedError("the block has no transaction of this index")
    return decode_receipt(value)


def decode_receipt(encoded: bytes) -> Receipt:
    """Return the receipt that a block's trie holds: type byte and RLP, or RLP alone for type 0."""
    kind = encoded[0] if encoded[:1] < b"\x80" and encoded else 0
    status, gas, bloom, logs = rlp.items(rlp.decode(encoded[1:] if kind else encoded), 4)
    if status not in (b"", b"\x01"):
        raise RefusedError("the receipt's status is neither 0 nor 1")
    receipt = Receipt(kind, status == b"\x01", rlp.number(gas, 8), tuple(map(_log, rlp.items(logs))))
    if rlp.string(bloom, 256) != bloom_of(receipt.logs):
        raise RefusedError("the receipt's bloom filter is not that of its logs")
    return receipt


def encode_receipt(receipt: Receipt) -> bytes:
    """Return the bytes that a block's trie holds."""
    logs: rlp.Item = [[log.address, list(log.topics), log.data] for log in receipt.logs]
    body = rlp.encode(
        [rlp.scalar(int(receipt.succeeded)), rlp.scalar(receipt.gas), bloom_of(receipt.logs), logs],
    )
    return bytes([receipt.kind]) + body if receipt.kind else body


def bloom_of(logs: Iterable[Log]) -> bytes:
    """Return the bloom filter of these logs' addresses and topics (yellow paper, 4.3.1)."""
    bits = 0
    for log in logs:
        for value in (log.address, *log.topics):
            bits |= _bits(value)
    return bits.to_bytes(_BLOOM_BITS // 8, "big")


def may_hold(bloom: bytes, *values: bytes) -> bool:
    """Tell whether logs with all these addresses or topics may be under the filter; false is certain."""
    wanted = 0
    for value in values:
        wanted |= _bits(value)
    return int.from_bytes(bloom, "big") & wanted == wanted


def _bits(value: bytes) -> int:
    digest = keccak256(value)
    places = (int.from_bytes(digest[i : i + 2], "big") % _BLOOM_BITS for i in (0, 2, 4))
    bits = 0
    for place in places:
        bits |= 1 << place
    return bits


def _log(item: rlp.Item) -> Log:
    address, topics, data = rlp.items(item, 3)
    return Log(rlp.string(address, 20), tuple(rlp.string(t, 32) for t in rlp.items(topics)), rlp.string(data))
