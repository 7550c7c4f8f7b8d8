"""Sending, and looking at what waits."""

from typing import TYPE_CHECKING, Any

from tests.besu import refusals
from tests.besu.pool import MAX_SIZE
from tests.besu.transactions import decode

if TYPE_CHECKING:
    from tests.besu.node import Node

_NO_SENDING = (
    "The method eth_sendTransaction is not supported. Use eth_sendRawTransaction to send a signed transaction to Besu."
)


class Pooling:
    def __init__(self, node: "Node") -> None:
        self._node = node

    def eth_sendRawTransaction(self, *parameters: Any) -> str:
        if len(parameters) != 1:
            raise refusals.invalid_params("Invalid number of params")
        transaction = decode(parameters[0])
        self._node.take(transaction)
        self._node.local.add(transaction.hash)
        self._node.gossip(self._node, transaction)
        return transaction.hash

    def eth_sendTransaction(self, *_: Any) -> str:
        raise refusals.Refusal(-32604, _NO_SENDING)

    def eth_gasPrice(self, *_: Any) -> str:
        return hex(self._node.min_gas_price)

    def eth_maxPriorityFeePerGas(self, *_: Any) -> str:
        return "0x0"

    def txpool_besuStatistics(self, *_: Any) -> dict[str, Any]:
        local = sum(transaction.hash in self._node.local for transaction in self._node.pool)
        return {"maxSize": MAX_SIZE, "localCount": local, "remoteCount": len(self._node.pool) - local}

    def txpool_status(self, *_: Any) -> dict[str, str]:
        return {"pending": hex(len(self._node.pool)), "queued": "0x0"}

    def txpool_contentFrom(self, address: str) -> dict[str, Any]:
        nonce = self._node.ledger.count(address, self._node.head)
        found: dict[str, dict[str, Any]] = {"pending": {}, "queued": {}}
        for transaction in self._node.pool.of(address):
            kind = "pending" if transaction.nonce == nonce else "queued"
            nonce += kind == "pending"
            found[kind][str(transaction.nonce)] = transaction.pending_json()
        return found
