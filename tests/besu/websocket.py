"""The web socket of a node: subscriptions to heads, logs and pending transactions, as Besu sends them."""

import contextlib
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server as SocketServer
from websockets.sync.server import ServerConnection
from websockets.sync.server import serve as serve_socket

from tests.besu import refusals
from tests.besu.logs import log_fits
from tests.besu.node import Node
from tests.besu.transactions import Transaction

_KINDS = ("newHeads", "logs", "newPendingTransactions", "syncing")


@dataclass
class Session:
    """One connection: its subscriptions by id, counted from 0x1."""

    node: Node
    send: Any
    subscriptions: dict[str, list[Any]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def answer(self, text: str | bytes) -> dict[str, Any]:
        try:
            asked = json.loads(text)
            identity = asked["id"]
        except (ValueError, KeyError, TypeError):
            # Over HTTP it is "Parse error".
            return _failure(None, refusals.internal_error())
        try:
            result = self._result(asked["method"], asked.get("params", []))
        except refusals.Refusal as refusal:
            return _failure(identity, refusal)
        return {"jsonrpc": "2.0", "id": identity, "result": result}

    def block(self, block: dict[str, Any], logs: list[dict[str, Any]]) -> None:
        """Tell of a new block: its logs come before its head."""
        for identity, (kind, *more) in list(self.subscriptions.items()):
            if kind == "logs":
                for log in logs:
                    if log_fits(log, more[0] if more else {}):
                        self._notify(identity, log)
        for identity, (kind, *_) in list(self.subscriptions.items()):
            if kind == "newHeads":
                self._notify(identity, block | {"transactions": [mined["hash"] for mined in block["transactions"]]})

    def pending(self, transaction: Transaction) -> None:
        for identity, (kind, *more) in list(self.subscriptions.items()):
            if kind == "newPendingTransactions":
                whole = bool(more and more[0].get("includeTransactions"))
                self._notify(identity, transaction.announced_json() if whole else transaction.hash)

    def _result(self, method: str, parameters: list[Any]) -> Any:
        if method == "eth_subscribe":
            if not parameters or parameters[0] not in _KINDS:
                raise refusals.invalid_request()
            identity = hex(next(self.numbers))
            self.subscriptions[identity] = parameters
            return identity
        if method == "eth_unsubscribe":
            if self.subscriptions.pop(parameters[0], None) is None:
                raise refusals.server_error("Subscription not found")
            return True
        return self.node.ask(method, parameters)

    def _notify(self, identity: str, result: Any) -> None:
        parameters = {"subscription": identity, "result": result}
        self.send({"jsonrpc": "2.0", "method": "eth_subscription", "params": parameters})


class WebSocket:
    """The socket server of one node; `cut` ends all connections, as a restart or a proxy does."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._connections: list[ServerConnection] = []
        self._lock = threading.Lock()
        self.connected = threading.Semaphore(0)
        self._server: SocketServer = serve_socket(self._handle, "127.0.0.1", 0, close_timeout=1)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="besu-ws", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        with self._lock:
            for connection in self._connections:
                connection.close_socket()

    def stop(self) -> None:
        self._server.shutdown()
        self.cut()
        self._thread.join()

    def _handle(self, connection: ServerConnection) -> None:
        session = Session(self._node, lambda message: _send(connection, message))
        with self._lock:
            self._connections.append(connection)
        self._node.sessions.append(session)
        try:
            for text in connection:
                _send(connection, session.answer(text))
                self.connected.release()
        except ConnectionClosed:
            return
        finally:
            self._node.sessions.remove(session)
            with self._lock:
                self._connections.remove(connection)


def _send(connection: ServerConnection, message: dict[str, Any]) -> None:
    with contextlib.suppress(ConnectionClosed):
        connection.send(json.dumps(message))


def _failure(identity: Any, refusal: refusals.Refusal) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identity, "error": refusal.error}


@contextmanager
def serve_websocket(node: Node) -> Iterator[WebSocket]:
    """The node's web socket on a free port."""
    socket = WebSocket(node)
    try:
        yield socket
    finally:
        socket.stop()
