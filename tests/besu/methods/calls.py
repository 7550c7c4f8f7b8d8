"""Calls and estimates: what views answer, and what Besu refuses before any code runs."""

from typing import TYPE_CHECKING, Any

from tests.besu import refusals
from tests.besu.heights import BlockTag, parse_height
from tests.besu.ledger import BLOCK_GAS_LIMIT

if TYPE_CHECKING:
    from tests.besu.node import Node

CODE_GAS = 30_000


class Calls:
    def __init__(self, node: "Node") -> None:
        self._node = node

    def eth_call(self, request: dict[str, Any], *more: Any) -> Any:
        if not more:
            raise refusals.invalid_params("Invalid block param (block not found)")
        data = _data(request)
        height = self._height(more[0])
        if height is not None and height > self._node.head:
            # Null, and no error.
            return None
        self._require_gas(request, data)
        self._require_funds(request)
        return self._run("eth_call", [request, *more], data, self._node.head if height is None else height)

    def eth_estimateGas(self, request: dict[str, Any], *more: Any) -> Any:
        height = self._height(more[0]) if more else self._node.head
        if height is not None and height > self._node.head:
            raise refusals.block_not_found()
        data = _data(request)
        self._require_funds(request, with_figures=False)
        found = self._run("eth_estimateGas", [request], data, self._node.head)
        if "to" not in request or request["to"].lower() in self._node.ledger.views:
            return hex(_intrinsic(data, "to" not in request) + CODE_GAS)
        return hex(_intrinsic(data, False)) if found == "0x" else found

    def eth_getStorageAt(self, address: str, slot: str, block: Any) -> Any:
        return self._state("eth_getStorageAt", [address, slot, block])

    def eth_getProof(self, address: str, slots: list[str], block: Any) -> Any:
        return self._state("eth_getProof", [address, slots, block])

    def _state(self, method: str, parameters: list[Any]) -> Any:
        """State as it was recorded; what was not is "Internal error", since no trie is kept here."""
        height = self._height(parameters[-1])
        if height is not None and height > self._node.head:
            return None
        if (found := self._node.recorded(method, parameters)) is None:
            raise refusals.internal_error()
        return found

    def _height(self, parameter: Any) -> int | None:
        """The number asked for; None for a block named by hash, whose calls are known or none."""
        if isinstance(parameter, dict) or len(str(parameter)) == 66:
            return None
        height = parse_height(parameter)
        return self._node.head if isinstance(height, BlockTag) else height

    def _run(self, method: str, parameters: list[Any], data: bytes, height: int) -> Any:
        found = self._node.recorded(method, parameters)
        if found is not None:
            return found
        view = self._node.ledger.views.get(str(parameters[0].get("to", "")).lower())
        return "0x" if view is None else view(data, height)

    def _require_gas(self, request: dict[str, Any], data: bytes) -> None:
        cost = _intrinsic(data, "to" not in request)
        if "gas" in request and (limit := int(request["gas"], 16)) < cost:
            text = f"Intrinsic gas exceeds gas limit (intrinsic gas cost {cost} exceeds gas limit {limit})"
            raise refusals.Refusal(-32003, text)

    def _require_funds(self, request: dict[str, Any], *, with_figures: bool = True) -> None:
        price = int(request.get("maxFeePerGas", request.get("gasPrice", "0x0")), 16)
        gas = int(request.get("gas", hex(BLOCK_GAS_LIMIT)), 16)
        cost = price * gas + int(request.get("value", "0x0"), 16)
        sender = str(request.get("from", "0x" + "00" * 20)).lower()
        balance = self._node.ledger.balance(sender, self._node.head)
        if cost > balance:
            figures = (
                f" (transaction up-front cost {hex(cost)} exceeds transaction sender account balance {hex(balance)} "
                f"for sender {sender})"
            )
            raise refusals.Refusal(-32004, "Upfront cost exceeds account balance" + (figures if with_figures else ""))


def _data(request: dict[str, Any]) -> bytes:
    texts = {request[name] for name in ("data", "input") if name in request}
    try:
        found = {bytes.fromhex(text.removeprefix("0x")) for text in texts} or {b""}
    except ValueError as error:
        raise refusals.invalid_params("Invalid call params") from error
    if len(found) > 1:
        raise refusals.invalid_params("Invalid call params")
    return found.pop()


def _intrinsic(data: bytes, is_creation: bool) -> int:
    zeros = data.count(0)
    cost = 21_000 + 4 * zeros + 16 * (len(data) - zeros)
    return cost + (32_000 + 2 * ((len(data) + 31) // 32) if is_creation else 0)
