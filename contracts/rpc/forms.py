"""The forms of a node's answers: numbers, bytes, headers and receipts, or an error that names what is no answer."""

import contextlib
from collections.abc import Iterator
from typing import Any, TypeVar

from consortium.kernel.secp256k1 import checksum_address
from contracts.errors import AnswerUnreadableError
from contracts.events import BlockHeader, Receipt

_Answer = TypeVar("_Answer", BlockHeader, Receipt)


def unreadable(method: str) -> AnswerUnreadableError:
    return AnswerUnreadableError(
        f"The node's answer to {method} is no JSON-RPC answer to what was asked. Is this a node's address?"
    )


@contextlib.contextmanager
def shaped(method: str) -> Iterator[None]:
    """Name an answer that has not the members and types that it should have."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise unreadable(method) from error


def number_of(text: Any, method: str) -> int:
    """A quantity, written in hexadecimal."""
    with shaped(method):
        return int(text, 16)


def data_of(text: Any, method: str) -> bytes:
    """Bytes, written in hexadecimal."""
    with shaped(method):
        return bytes.fromhex(text.removeprefix("0x"))


def require_same(answer: _Answer, **asked: object) -> _Answer:
    """Make sure that an answer is about what was asked for: its members have these values; `ValueError` if not."""
    if any(getattr(answer, name) != value for name, value in asked.items()):
        raise ValueError("The answer is about something else.")
    return answer


def as_hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def header_of(block: Any) -> BlockHeader:
    """A block's header of an answer to `eth_getBlockByNumber`."""
    with shaped("eth_getBlockByNumber"):
        return BlockHeader(int(block["number"], 16), bytes.fromhex(block["hash"][2:]), int(block["timestamp"], 16))


def receipt_of(found: Any) -> Receipt:
    """A receipt of an answer to `eth_getTransactionReceipt`."""
    with shaped("eth_getTransactionReceipt"):
        succeeded = int(found["status"], 16) == 1
        created = found.get("contractAddress")
        reason = found.get("revertReason")
        return Receipt(
            transaction_hash=bytes.fromhex(found["transactionHash"][2:]),
            succeeded=succeeded,
            block_number=int(found["blockNumber"], 16),
            block_hash=bytes.fromhex(found["blockHash"][2:]),
            gas_used=int(found["gasUsed"], 16),
            # Besu fills the address in even when the creation failed.
            contract_address=checksum_address(created) if succeeded and created else None,
            revert_reason=bytes.fromhex(reason[2:]) if reason else None,
        )
