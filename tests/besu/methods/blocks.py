"""Blocks, what is in them, and who sealed them."""

import re
from typing import TYPE_CHECKING, Any

from tests.besu import refusals
from tests.besu.heights import BlockTag, parse_height
from tests.besu.logs import find_logs

if TYPE_CHECKING:
    from tests.besu.node import Node

# Where no range is asked for.
METRICS_BLOCKS = 100
_HASH = re.compile(r"0x[0-9a-f]{64}\Z")


class Blocks:
    def __init__(self, node: "Node") -> None:
        self._node = node

    def eth_chainId(self, *_: Any) -> str:
        return hex(self._node.chain_id)

    def eth_blockNumber(self, *_: Any) -> str:
        return hex(self._node.head)

    def eth_syncing(self, *_: Any) -> bool:
        """False whether the head is fresh or a year old: only its age tells."""
        return False

    def eth_getBlockByNumber(self, parameter: Any, *full: Any) -> Any:
        if not full:
            raise refusals.invalid_params("Invalid return complete transaction params")
        height = parse_height(parameter)
        if height in (BlockTag.SAFE, BlockTag.FINALIZED):
            raise refusals.unknown_block()
        return self._block(self._node.head if isinstance(height, BlockTag) else height, full=bool(full[0]))

    def eth_getBlockByHash(self, block_hash: str, full: bool) -> Any:
        if not _HASH.match(block_hash):
            raise refusals.invalid_params("Invalid block hash params")
        number = self._number_of(block_hash)
        return None if number is None else self._block(number, full=full)

    def eth_getBlockReceipts(self, parameter: Any) -> Any:
        number = self._number_of(parameter) if _HASH.match(str(parameter)) else self._height(parameter)
        if number is None or number > self._node.head:
            return None
        ledger = self._node.ledger
        return [ledger.receipts[found["hash"]] for found in ledger.blocks[number]["transactions"]]

    def eth_getBlockTransactionCountByNumber(self, parameter: Any) -> Any:
        found = self._block(self._height(parameter), full=True)
        return None if found is None else hex(len(found["transactions"]))

    def eth_getTransactionByBlockNumberAndIndex(self, parameter: Any, index: str) -> Any:
        found = self._block(self._height(parameter), full=True)
        place = int(index, 16)
        return found["transactions"][place] if found and place < len(found["transactions"]) else None

    def eth_getTransactionReceipt(self, transaction_hash: str) -> Any:
        _require_hash(transaction_hash)
        return self._node.ledger.receipts[transaction_hash] if self._mined(transaction_hash) else None

    def eth_getTransactionByHash(self, transaction_hash: str) -> Any:
        _require_hash(transaction_hash)
        if (place := self._mined(transaction_hash)) is not None:
            return self._node.ledger.blocks[place[0]]["transactions"][place[1]]
        waiting = self._node.pool.find(transaction_hash)
        return None if waiting is None else waiting.pending_json()

    def eth_getLogs(self, request: Any) -> Any:
        return find_logs(self._node.ledger, self._node.head, request, max_range=self._node.max_logs_range)

    def qbft_getValidatorsByBlockNumber(self, *parameter: Any) -> Any:
        if not parameter:
            raise refusals.invalid_params("Invalid block param (block not found)")
        height = self._height(parameter[0])
        return None if height > self._node.head else self._node.ledger.validators_after(height)

    def qbft_getValidatorsByBlockHash(self, block_hash: str) -> Any:
        number = self._number_of(block_hash)
        return None if number is None else self._node.ledger.validators_after(number)

    def qbft_getSignerMetrics(self, *ends: Any) -> Any:
        """Blocks by proposer, the last block of the range left out; by default the last 100."""
        head = self._node.head
        last = min(self._height(ends[1]), head) if len(ends) > 1 else head
        first = self._height(ends[0]) if ends else max(0, last - METRICS_BLOCKS)
        if first > last:
            raise refusals.invalid_params("Invalid block number params")
        miners = {number: self._node.ledger.blocks[number]["miner"] for number in range(first, last)}
        found = {who: [n for n, miner in miners.items() if miner == who] for who in set(miners.values())}
        found |= {who: found.get(who, []) for who in self._node.ledger.validators_after(head)}
        return [
            {
                "address": who,
                "proposedBlockCount": hex(len(numbers)),
                "lastProposedBlockNumber": hex(max(numbers, default=0)),
            }
            for who, numbers in sorted(found.items())
        ]

    def _height(self, parameter: Any) -> int:
        height = parse_height(parameter)
        return self._node.head if isinstance(height, BlockTag) else height

    def _block(self, number: int, *, full: bool) -> Any:
        if not 0 <= number <= self._node.head:
            return None
        found = self._node.ledger.blocks[number]
        return (
            found if full else found | {"transactions": [transaction["hash"] for transaction in found["transactions"]]}
        )

    def _number_of(self, block_hash: str) -> int | None:
        seen = self._node.ledger.blocks[: self._node.head + 1]
        return next((number for number, block in enumerate(seen) if block["hash"] == block_hash), None)

    def _mined(self, transaction_hash: str) -> tuple[int, int] | None:
        place = self._node.ledger.place(transaction_hash)
        return place if place is not None and place[0] <= self._node.head else None


def _require_hash(text: str) -> None:
    if not _HASH.match(str(text)):
        raise refusals.invalid_params("Invalid transaction hash params")
