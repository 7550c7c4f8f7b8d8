"""A wire between a program and the chain that can be held: what the program sends then does not arrive."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Wire(ThreadingHTTPServer):
    """Passes JSON-RPC on to `url`; while it is held, raw transactions are taken and swallowed."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passage)
        self.target = urlsplit(url).netloc
        self.held = threading.Event()
        self.swallowed: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A program that was killed leaves its connections; that is what the test is about."""


class _Passage(BaseHTTPRequestHandler):
    server: Wire
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(body)
        raws = [
            one["params"][0]
            for one in (asked if isinstance(asked, list) else [asked])
            if one["method"] == "eth_sendRawTransaction"
        ]
        if self.server.held.is_set() and raws:
            self.server.swallowed += raws
            # No answer: the program waits for it until it is killed.
            self.rfile.read(1)
            return
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        there = http.client.HTTPConnection(self.server.target, timeout=30)
        try:
            there.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = there.getresponse().read()
        finally:
            there.close()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, form: str, *arguments: object) -> None:
        """Nothing: the programs keep logs of their own."""


@contextmanager
def wire_to(url: str) -> Iterator[Wire]:
    """A wire to the node at `url`, open at first."""
    with Wire(url) as wire:
        thread = threading.Thread(target=wire.serve_forever, name="wire")
        thread.start()
        try:
            yield wire
        finally:
            wire.shutdown()
            thread.join()
