"""Recorded transactions as the bytes that were sent: blocks hold their members, and RLP has one spelling."""

from typing import Any

import rlp


def raw_of(transaction: dict[str, Any]) -> bytes:
    """The signed bytes of a transaction of types 0 to 2, as a block holds it."""
    kind = int(transaction["type"], 16)
    number = {name: int(value, 16) for name, value in transaction.items() if _is_number(value)}
    to, data = _bytes(transaction["to"] or "0x"), _bytes(transaction["input"])
    access = [
        [_bytes(e["address"]), [_bytes(key) for key in e["storageKeys"]]] for e in transaction.get("accessList", ())
    ]
    signature = [number["v"], number["r"], number["s"]]
    call = [number["gas"], to, number["value"], data]
    if kind == 0:
        return rlp.encode([number["nonce"], number["gasPrice"], *call, *signature])
    prices = ["gasPrice"] if kind == 1 else ["maxPriorityFeePerGas", "maxFeePerGas"]
    fees = [number[name] for name in prices]
    return bytes([kind]) + rlp.encode([number["chainId"], number["nonce"], *fees, *call, access, *signature])


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("0x") and len(value) > 2


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
