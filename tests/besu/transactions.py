"""Raw transactions as Besu reads them: types 0, 1 and 2 of a cancun network, with their sender recovered."""

from dataclasses import dataclass
from typing import Any

import coincurve
import rlp

from consortium.kernel.digests import keccak256
from tests.besu import refusals

_HALF_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 // 2
# chain id, nonce, ... of each type's RLP list, without signature
_FIELDS = {
    0: ("nonce", "gasPrice", "gas", "to", "value", "input"),
    1: ("chainId", "nonce", "gasPrice", "gas", "to", "value", "input", "accessList"),
    2: (
        *("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "input"),
        "accessList",
    ),
}
MAX_INITCODE_BYTES = 49_152


@dataclass(frozen=True)
class Transaction:
    """A signed transaction; prices in wei, `to` None for a creation, addresses in lower case."""

    raw: bytes
    kind: int
    sender: str
    public_key: bytes
    nonce: int
    to: str | None
    value: int
    data: bytes
    gas: int
    max_price: int
    priority_price: int
    chain_id: int | None
    access_list: tuple[tuple[str, tuple[str, ...]], ...]
    v: int
    r: int
    s: int

    @property
    def hash(self) -> str:
        return "0x" + keccak256(self.raw).hex()

    @property
    def price(self) -> int:
        """What it pays where the base fee is zero."""
        return min(self.max_price, self.priority_price)

    @property
    def upfront_cost(self) -> int:
        return self.gas * self.max_price + self.value

    @property
    def intrinsic_gas(self) -> int:
        """What it costs at least (yellow paper, EIP-2930, EIP-3860)."""
        zeros = self.data.count(0)
        cost = 21_000 + 4 * zeros + 16 * (len(self.data) - zeros)
        if self.to is None:
            cost += 32_000 + 2 * ((len(self.data) + 31) // 32)
        return cost + sum(2_400 + 1_900 * len(keys) for _, keys in self.access_list)

    @property
    def created_address(self) -> str:
        """Where its contract stands: filled in by Besu whether the creation succeeds or not."""
        return "0x" + keccak256(rlp.encode([bytes.fromhex(self.sender[2:]), self.nonce]))[-20:].hex()

    def pending_json(self) -> dict[str, Any]:
        """As `eth_getTransactionByHash` writes it while it waits in the pool."""
        place = {"blockHash": None, "blockNumber": None, "transactionIndex": None}
        more = {"publicKey": "0x" + self.public_key.hex(), "raw": "0x" + self.raw.hex()}
        return place | self._members() | more

    def announced_json(self) -> dict[str, Any]:
        """As a web socket announces it: fewer members than elsewhere."""
        hidden = {"chainId", "maxFeePerGas", "maxPriorityFeePerGas", "accessList"}
        hidden |= {"gasPrice"} if self.kind == 2 else set()
        return {name: value for name, value in self._members().items() if name not in hidden}

    def mined_json(self, *, block: dict[str, Any], index: int) -> dict[str, Any]:
        """As it stands in a block."""
        place = {
            "blockHash": block["hash"],
            "blockNumber": block["number"],
            "blockTimestamp": block["timestamp"],
            "transactionIndex": hex(index),
        }
        return place | self._members()

    def _members(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "from": self.sender,
            "gas": hex(self.gas),
            "gasPrice": hex(self.price if self.kind == 2 else self.max_price),
            "hash": self.hash,
            "input": "0x" + self.data.hex(),
            "nonce": hex(self.nonce),
            "to": self.to,
            "type": hex(self.kind),
            "value": hex(self.value),
            "v": hex(self.v),
            "r": hex(self.r),
            "s": hex(self.s),
        }
        if self.chain_id is not None:
            found["chainId"] = hex(self.chain_id)
        if self.kind == 2:
            found |= {"maxFeePerGas": hex(self.max_price), "maxPriorityFeePerGas": hex(self.priority_price)}
        if self.kind > 0:
            entries = [{"address": where, "storageKeys": list(keys)} for where, keys in self.access_list]
            found |= {"accessList": entries, "yParity": hex(self.v)}
        return found


def decode(text: str) -> Transaction:
    """Read a raw transaction, with or without 0x; a `Refusal` in Besu's words if it is none, or is signed wrongly."""
    raw = _raw(text)
    kind, body = (raw[0], raw[1:]) if raw[0] < 0x80 else (0, raw)
    if kind == 4:
        raise refusals.invalid_params("Invalid transaction type")
    if kind not in _FIELDS:
        raise refusals.invalid_params()
    try:
        items = rlp.decode(body)
        fields = dict(zip((*_FIELDS[kind], "v", "r", "s"), items, strict=True))
        return _transaction(raw, kind, fields, items)
    except (rlp.DecodingError, ValueError, TypeError, KeyError) as error:
        raise refusals.invalid_params() from error


def _raw(text: str) -> bytes:
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except (ValueError, AttributeError) as error:
        raise refusals.invalid_params() from error
    if not raw:
        raise refusals.invalid_params()
    return raw


def _transaction(raw: bytes, kind: int, fields: dict[str, Any], items: list[Any]) -> Transaction:
    number = {name: int.from_bytes(value) for name, value in fields.items() if isinstance(value, bytes)}
    chain_id, recovery = _chain_and_recovery(kind, number)
    signed = _signed_digest(kind, items, chain_id)
    key = _recover(signed, recovery, number["r"], number["s"])
    return Transaction(
        raw=raw,
        kind=kind,
        sender="0x" + keccak256(key)[-20:].hex(),
        public_key=key,
        nonce=number["nonce"],
        to="0x" + fields["to"].hex() if fields["to"] else None,
        value=number["value"],
        data=fields["input"],
        gas=number["gas"],
        max_price=number["maxFeePerGas"] if kind == 2 else number["gasPrice"],
        priority_price=number["maxPriorityFeePerGas"] if kind == 2 else number["gasPrice"],
        chain_id=chain_id,
        access_list=tuple(
            ("0x" + where.hex(), tuple("0x" + key.hex() for key in keys))
            for where, keys in fields.get("accessList", ())
        ),
        v=number["v"],
        r=number["r"],
        s=number["s"],
    )


def _chain_and_recovery(kind: int, number: dict[str, int]) -> tuple[int | None, int]:
    if kind > 0:
        return number["chainId"], number["v"]
    if number["v"] in (27, 28):
        return None, number["v"] - 27
    # EIP-155
    return (number["v"] - 35) // 2, (number["v"] - 35) % 2


def _signed_digest(kind: int, items: list[Any], chain_id: int | None) -> bytes:
    unsigned = items[:-3]
    if kind > 0:
        return keccak256(bytes([kind]) + rlp.encode(unsigned))
    return keccak256(rlp.encode(unsigned if chain_id is None else [*unsigned, chain_id, b"", b""]))


def _recover(digest: bytes, recovery: int, r: int, s: int) -> bytes:
    """The public key (64 bytes) that signed; Besu says "Internal error" where none can have."""
    if recovery not in (0, 1) or s > _HALF_ORDER:
        raise refusals.internal_error()
    signature = r.to_bytes(32) + s.to_bytes(32) + bytes([recovery])
    try:
        key = coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except ValueError as error:
        raise refusals.internal_error() from error
    return bytes(key.format(compressed=False)[1:])
