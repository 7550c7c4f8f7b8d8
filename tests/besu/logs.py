"""`eth_getLogs` by Besu's rules, which differ from what most clients expect."""

from collections.abc import Sequence
from typing import Any

from tests.besu import refusals
from tests.besu.heights import BlockTag, parse_height
from tests.besu.ledger import Ledger

# Besu's default of --rpc-max-logs-range: last minus first block.
DEFAULT_RANGE = 5_000


def find_logs(ledger: Ledger, head: int, request: Any, *, max_range: int) -> list[dict[str, Any]]:
    """The logs that a filter asks for, seen from a node at `head`.

    A window above the head is refused, not cut; so is one whose ends are the wrong way round. Without a range it
    is the newest block alone. Addresses and topics of a wrong length find nothing, and are no error.
    """
    if not isinstance(request, dict):
        raise refusals.invalid_params("Invalid filter params")
    if (block_hash := request.get("blockHash")) is not None:
        if "fromBlock" in request or "toBlock" in request:
            raise refusals.invalid_params("Invalid filter params")
        first = last = _height_of(ledger, head, block_hash)
    else:
        first, last = _window(request, head, max_range)
    return [log for log in ledger.logs(first, last) if log_fits(log, request)]


def log_fits(log: dict[str, Any], request: dict[str, Any]) -> bool:
    """Whether a log has the addresses and topics of a filter."""
    return _fits(log, _addresses(request.get("address")), request.get("topics") or [])


def _window(request: dict[str, Any], head: int, max_range: int) -> tuple[int, int]:
    ends = [parse_height(request.get(name, "latest")) for name in ("fromBlock", "toBlock")]
    if any(end in (BlockTag.SAFE, BlockTag.FINALIZED) for end in ends):
        raise refusals.invalid_params("Invalid block number params")
    first, last = (head if isinstance(end, BlockTag) else end for end in ends)
    if first > head or last > head or first > last:
        raise refusals.invalid_params()
    if max_range and last - first > max_range:
        raise refusals.range_too_large()
    return first, last


def _height_of(ledger: Ledger, head: int, block_hash: str) -> int:
    for number, block in enumerate(ledger.blocks[: head + 1]):
        if block["hash"] == block_hash:
            return number
    raise refusals.block_not_found()


def _addresses(asked: Any) -> set[str]:
    return {text.lower() for text in ([asked] if isinstance(asked, str) else asked or ())}


def _fits(log: dict[str, Any], addresses: set[str], topics: Sequence[Any]) -> bool:
    if addresses and log["address"] not in addresses:
        return False
    if len(topics) > len(log["topics"]):
        return False
    return all(_topic_fits(asked, found) for asked, found in zip(topics, log["topics"], strict=False))


def _topic_fits(asked: Any, found: str) -> bool:
    if asked is None or asked == []:
        return True
    return found in ({asked.lower()} if isinstance(asked, str) else {text.lower() for text in asked if text})
