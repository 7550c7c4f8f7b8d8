"""What nodes answer over JSON-RPC, in the strict spelling that the rest of the verifier reads."""

from collections.abc import Mapping
from typing import Any

from consilium_verify.chain.headers import MEMBERS, Header, read_header
from consilium_verify.chain.receipts import Log, Receipt
from consilium_verify.fields import array, raw
from consilium_verify.findings import RefusedError


def answered_header(block: Mapping[str, Any]) -> Header:
    """Return the header of a block as `eth_getBlockByNumber` answers it; further members are not looked at."""
    return read_header({name: whole_bytes(block[name]) for name in MEMBERS if block.get(name) is not None})


def answered_receipt(receipt: Mapping[str, Any]) -> Receipt:
    """Return a receipt as `eth_getTransactionReceipt` answers it: of its members those that a block's trie holds."""
    try:
        return Receipt(
            quantity(receipt["type"]),
            quantity(receipt["status"]) == 1,
            quantity(receipt["cumulativeGasUsed"]),
            tuple(map(_log, array(receipt["logs"]))),
        )
    except (KeyError, TypeError) as error:
        raise RefusedError("the receipt is not as a node answers it") from error


def quantity(value: Any) -> int:
    """Return a number of at most 32 bytes as JSON-RPC writes it."""
    data = raw(whole_bytes(value))
    if len(data) > 32:
        raise RefusedError("a number has more than 32 bytes")
    return int.from_bytes(data, "big")


def whole_bytes(value: Any) -> str:
    """Return hexadecimal in lower case with an even number of digits: JSON-RPC drops a number's leading zeros."""
    if not isinstance(value, str) or not value.startswith(("0x", "0X")):
        raise RefusedError("expected hexadecimal with 0x")
    digits = value[2:].lower()
    return "0x" + "0" * (len(digits) % 2) + digits


def _log(value: Mapping[str, Any]) -> Log:
    topics = tuple(raw(whole_bytes(topic), 32) for topic in array(value["topics"]))
    return Log(raw(whole_bytes(value["address"]), 20), topics, raw(whole_bytes(value["data"])))
