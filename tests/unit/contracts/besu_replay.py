"""A web server that answers as the recorded Besu node did: the same blocks, the same refusals."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "data" / "besu"
CHAIN_ID = 20_261
INVALID = {"code": -32602, "message": "Invalid params"}
TOO_LARGE = {"code": -32005, "message": "Requested range exceeds maximum RPC range limit"}


class Recording:
    """Blocks 0 to 20; `range_limit` as rpc-max-logs-range, `written_times` whether logs carry their block's time."""

    def __init__(self, *, range_limit: int = 5_000, written_times: bool = True) -> None:
        self.range_limit = range_limit
        self.written_times = written_times
        self.blocks = {int(b["number"], 16): b for b in _rows("blocks.jsonl")}
        self.receipts = [r for row in _rows("receipts.jsonl") for r in row["receipts"]]
        self.asked: list[str] = []
        self.windows: list[tuple[int, int]] = []
        self.status = 200
        self.refusal: dict[str, Any] | None = None
        self.batches: list[int] = []
        self.batch_refusal: dict[str, Any] | None = None
        self.order: Callable[[list[Any]], list[Any]] = lambda answers: answers
        # Answers to raw transactions: the recorded refusals, one after the other.
        self.raw_answers: list[dict[str, Any]] = []

    def answer_body(self, request: Any) -> Any:
        """One answer, or those of a batch, shuffled by `order`; a batch may be refused as a whole."""
        if isinstance(request, dict):
            return {"jsonrpc": "2.0", "id": request["id"]} | self.answer(request["method"], request["params"])
        self.batches.append(len(request))
        if self.batch_refusal is not None:
            return {"jsonrpc": "2.0", "id": None, "error": self.batch_refusal}
        return self.order([self.answer_body(each) for each in request])

    def answer(self, method: str, parameters: list[Any]) -> dict[str, Any]:
        self.asked.append(method)
        if self.refusal is not None and method != "eth_chainId":
            return {"error": self.refusal}
        found = getattr(self, method)(*parameters)
        return {"error": found} if isinstance(found, dict) and "code" in found else {"result": found}

    def eth_chainId(self) -> str:
        return hex(CHAIN_ID)

    def eth_getBlockByNumber(self, number: str, full: bool) -> Any:
        return self.blocks.get(max(self.blocks) if number == "latest" else int(number, 16))

    def eth_getTransactionReceipt(self, transaction_hash: str) -> Any:
        return next((r for r in self.receipts if r["transactionHash"] == transaction_hash), None)

    def eth_sendRawTransaction(self, raw: str) -> Any:
        found = self.raw_answers.pop(0)
        return found["error"] if "error" in found else found["result"]

    def eth_call(self, request: dict[str, str], block: str) -> Any:
        if block != "latest" and int(block, 16) > max(self.blocks):
            return None
        return {"code": 3, "message": "Execution reverted", "data": _custom_refusal()}

    def eth_getLogs(self, request: dict[str, Any]) -> Any:
        first, last = int(request["fromBlock"], 16), int(request["toBlock"], 16)
        if last > max(self.blocks) or first > last:
            return INVALID
        if last - first > self.range_limit:
            return TOO_LARGE
        self.windows.append((first, last))
        wanted = {address.lower() for address in request["address"]}
        logs = [log for receipt in self.receipts for log in receipt["logs"]]
        found = [g for g in logs if g["address"] in wanted and first <= int(g["blockNumber"], 16) <= last]
        hidden = set() if self.written_times else {"blockTimestamp"}
        return [{name: value for name, value in log.items() if name not in hidden} for log in found]


@contextmanager
def serve(recording: Recording) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(recording.answer_body(request)).encode()
            self.send_response(recording.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


def _custom_refusal() -> str:
    found = next(row for row in _rows("refusals.jsonl") if row["label"] == "eth_call failCustom")
    data: str = found["response"]["error"]["data"]
    return data
