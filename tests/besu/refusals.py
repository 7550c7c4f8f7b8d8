"""Besu's refusals: number and text, word for word as recorded."""

from typing import Any


class Refusal(Exception):  # noqa: N818  what a node says, not a fault of ours
    """A JSON-RPC error object; `status` is the HTTP status that comes with it."""

    def __init__(self, code: int, message: str, *, data: str | None = None, status: int = 200) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.data = data
        self.status = status

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = {"code": self.code, "message": self.message}
        return found if self.data is None else found | {"data": self.data}


def parse_error() -> Refusal:
    return Refusal(-32700, "Parse error", status=400)


def invalid_request(*, status: int = 400) -> Refusal:
    return Refusal(-32600, "Invalid Request", status=status)


def method_not_found() -> Refusal:
    return Refusal(-32601, "Method not found")


def method_not_enabled() -> Refusal:
    return Refusal(-32604, "Method not enabled")


def invalid_params(message: str = "Invalid params") -> Refusal:
    return Refusal(-32602, message)


def internal_error() -> Refusal:
    return Refusal(-32603, "Internal error")


def unauthorized(*, status: int = 401) -> Refusal:
    return Refusal(-40100, "Unauthorized", status=status)


def batch_too_large() -> Refusal:
    return Refusal(-32005, "Number of requests exceeds max batch size")


def range_too_large() -> Refusal:
    return Refusal(-32005, "Requested range exceeds maximum RPC range limit")


def block_not_found() -> Refusal:
    return Refusal(-32000, "Block not found")


def unknown_block() -> Refusal:
    return Refusal(-39001, "Unknown block")


def reverted(data: str, reason: str | None = None) -> Refusal:
    """A contract's refusal; a plain reason stands in the text as well."""
    return Refusal(3, "Execution reverted" + (f" ({reason})" if reason is not None else ""), data=data)


def server_error(message: str) -> Refusal:
    """One of the many meanings of -32000."""
    return Refusal(-32000, message)
