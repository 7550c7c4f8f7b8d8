"""A node behind a real socket: HTTP on a free port of the loopback address, faults included."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.besu.exchange import Reply, Request, answer
from tests.besu.faults import Fault, Plan, page_of
from tests.besu.node import Node

# A silent node lets go when its server stops; this bounds a test that forgot to stop it.
MAX_SILENCE_SECONDS = 60.0
SLOW_BYTE_SECONDS = 0.05


@dataclass
class Server:
    """`stop` refuses connections until `start`, on the same port. `requests` are the bodies, as they came."""

    node: Node
    respond: Callable[[Node, Request], Reply] = answer
    plans: list[Plan] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._connections: set[socket.socket] = set()
        self._http: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def methods(self) -> list[str]:
        """The methods that were asked, items of batches one by one."""
        found: list[str] = []
        for request in self.requests:
            with contextlib.suppress(ValueError):
                body = json.loads(request.body)
                found += [item["method"] for item in (body if isinstance(body, list) else [body]) if "method" in item]
        return found

    def fail(self, fault: Fault, *, times: int | None = None, method: str | None = None) -> None:
        """Let the next requests fail so: `times` of them or, without a number, all until `heal`."""
        with self._lock:
            self.plans.append(Plan(fault, times, method))

    def heal(self) -> None:
        with self._lock:
            self.plans.clear()

    def start(self) -> "Server":
        self._released.clear()
        self._http = _Http(("127.0.0.1", self.port), self)
        self.port = self._http.server_port
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, name="besu", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Cut all connections and take no more."""
        if self._http is None or self._thread is None:
            return
        self._released.set()
        self._http.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._http.server_close()
        self._http = None

    def restart(self) -> None:
        """Stop and start, as a process would: the pool is lost unless the node keeps it."""
        self.stop()
        self.node.restart()
        self.start()

    def next_fault(self, body: bytes) -> Fault | None:
        with self._lock:
            plan = next((plan for plan in self.plans if plan.meets(body)), None)
            if plan is None:
                return None
            if plan.times is not None:
                plan.times -= 1
                if plan.times <= 0:
                    self.plans.remove(plan)
            return plan.fault

    def hold(self) -> None:
        """Wait as a silent node does."""
        self._released.wait(MAX_SILENCE_SECONDS)

    def pause(self) -> bool:
        """Wait a moment between two bytes; False once the server stops."""
        return not self._released.wait(SLOW_BYTE_SECONDS)

    def opened(self, connection: socket.socket) -> None:
        """Note a connection; one that comes while the server stops is cut at once."""
        with self._lock:
            self._connections.add(connection)
        if self._released.is_set():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)


class _Http(ThreadingHTTPServer):
    # A stopped server cuts its connections, so their threads end; all are waited for.
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], server: Server) -> None:
        self.besu = server
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that went away are what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in two writes: without this the second waits for the first's acknowledgement.
    disable_nagle_algorithm = True
    server: _Http

    def setup(self) -> None:
        super().setup()
        self.server.besu.opened(self.connection)

    def finish(self) -> None:
        self.server.besu.closed(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def do_POST(self) -> None:
        besu = self.server.besu
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, dict(self.headers.items()), body)
        fault = besu.next_fault(body)
        besu.requests.append(request)
        if fault is None:
            self._write(besu.respond(besu.node, request))
        elif (page := page_of(fault)) is not None:
            self._write(page)
        else:
            self._break(fault, besu.respond(besu.node, request))

    def do_GET(self) -> None:
        self.do_POST()

    def do_PUT(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _break(self, fault: Fault, reply: Reply) -> None:
        self.close_connection = True
        if fault is Fault.SILENT:
            self.server.besu.hold()
        elif fault is Fault.HALF:
            self._head(reply)
            self.wfile.write(reply.body[: len(reply.body) // 2])
        elif fault is Fault.SLOW:
            self._head(reply)
            self._drip(reply.body)
        elif fault is Fault.SLOW_HEAD:
            self._drip(b"HTTP/1.1 200 OK\r\n" + b"X-More: of them\r\n" * 90 + b"\r\n")

    def _drip(self, text: bytes) -> None:
        for byte in text:
            if not self.server.besu.pause():
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()

    def _write(self, reply: Reply) -> None:
        self._head(reply)
        self.wfile.write(reply.body)

    def _head(self, reply: Reply) -> None:
        self.send_response(reply.status)
        if reply.content_type is not None:
            self.send_header("Content-Type", reply.content_type)
        if reply.location is not None:
            self.send_header("Location", reply.location)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()


@contextmanager
def serve(node: Node | None = None, **options: Any) -> Iterator[Server]:
    """A node behind a socket, by default one of its own; `options` are `Server`'s."""
    server = Server(node or Node(), **options).start()
    try:
        yield server
    finally:
        server.stop()
