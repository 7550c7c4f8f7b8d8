"""Accounts at a height: counts, balances, code."""

from typing import TYPE_CHECKING, Any

from tests.besu import refusals
from tests.besu.heights import BlockTag, parse_height

if TYPE_CHECKING:
    from tests.besu.node import Node


class State:
    def __init__(self, node: "Node") -> None:
        self._node = node

    def eth_getTransactionCount(self, *parameters: Any) -> Any:
        address, height = self._account_at(parameters)
        if height is None:
            return None
        mined = self._node.ledger.count(address, height)
        is_pending = parse_height(parameters[1]) == BlockTag.PENDING
        return hex(self._node.pool.next_nonce(address, mined) if is_pending else mined)

    def eth_getBalance(self, *parameters: Any) -> Any:
        address, height = self._account_at(parameters)
        return None if height is None else hex(self._node.ledger.balance(address, height))

    def eth_getCode(self, *parameters: Any) -> Any:
        address, height = self._account_at(parameters)
        return None if height is None else self._node.ledger.codes.get(address, "0x")

    def _account_at(self, parameters: tuple[Any, ...]) -> tuple[str, int | None]:
        """Address and height; None for a height that the node does not have, for which Besu answers null."""
        if len(parameters) < 2:
            raise refusals.invalid_params("Invalid block param (block not found)")
        # A short address is filled up with zeros, and is no error.
        address = f"0x{int(parameters[0], 16):040x}"
        height = parse_height(parameters[1])
        number = self._node.head if isinstance(height, BlockTag) else height
        return address, number if number <= self._node.head else None
