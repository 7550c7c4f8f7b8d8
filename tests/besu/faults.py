"""What may go wrong between a client and a node, on command."""

from dataclasses import dataclass
from enum import StrEnum

from tests.besu.exchange import Reply


class Fault(StrEnum):
    """A kind of failure; `Server.stop` gives the refused connection."""

    SILENT = "silent"  # the connection is held, and nothing comes
    RESET = "reset"  # the connection is cut before an answer
    HALF = "half"  # the answer is cut in its middle
    SLOW = "slow"  # the answer comes a byte at a time
    SLOW_HEAD = "slow head"  # and so do its headers, before any of it
    EMPTY = "empty"  # HTTP 200 without a body
    GARBAGE = "garbage"  # HTTP 200 with what is no JSON
    OTHER_JSON = "other json"  # HTTP 200 with JSON that is no JSON-RPC
    FAILED = "failed"  # HTTP 500
    PROXY = "proxy"  # HTTP 502 of a proxy before the node
    BUSY = "busy"  # HTTP 429


@dataclass
class Plan:
    """One fault for the next `times` requests (None: until told otherwise), of one method or of all."""

    fault: Fault
    times: int | None = None
    method: str | None = None

    def meets(self, body: bytes) -> bool:
        return self.method is None or f'"{self.method}"'.encode() in body


_PAGES = {
    Fault.EMPTY: Reply(200),
    Fault.GARBAGE: Reply(200, b"<html>\xff\xfe not json", "text/html"),
    Fault.OTHER_JSON: Reply(200, b'{"status": "well"}'),
    Fault.FAILED: Reply(500, b"", None),
    Fault.PROXY: Reply(502, b"<html><h1>502 Bad Gateway</h1></html>", "text/html"),
    Fault.BUSY: Reply(429, b"", None),
}


def page_of(fault: Fault) -> Reply | None:
    """The page that a fault answers with, or None where the connection itself fails."""
    return _PAGES.get(fault)
