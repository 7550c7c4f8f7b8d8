"""Besu's HTTP door: paths, hosts, batches, and the JSON-RPC envelope."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.besu import refusals
from tests.besu.access import host_is_allowed
from tests.besu.node import Node

JSON = "application/json"


@dataclass(frozen=True)
class Request:
    verb: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes = b""
    content_type: str | None = JSON
    location: str | None = None


def answer(node: Node, request: Request) -> Reply:
    """What the node says to a request."""
    if not host_is_allowed(request.header("Host"), node.hosts):
        return Reply(403, b'{"message":"Host not authorized."}', "application/json; charset=utf-8")
    path = urlsplit(request.path)
    if path.path in ("/liveness", "/readiness") and request.verb == "GET":
        return _probe(node, path.path, parse_qs(path.query))
    if path.path == "/login":
        return Reply(400 if request.verb == "POST" else 405, b"", None)
    if path.path != "/":
        return Reply(404, b"<html><body><h1>Resource not found</h1></body></html>", "text/html; charset=utf-8")
    if request.verb != "POST":
        return Reply(201 if request.verb == "GET" else 405, b"", None)
    return _json_rpc(node, request)


def _probe(node: Node, path: str, query: dict[str, list[str]]) -> Reply:
    """Readiness asks for one peer unless told otherwise; how old the head is, neither probe asks."""
    wanted = int(query.get("minPeers", ["1"])[0])
    is_up = path == "/liveness" or len(node.peers) >= wanted
    return Reply(200 if is_up else 503, json.dumps({"status": "UP" if is_up else "DOWN"}).encode(), None)


def _json_rpc(node: Node, request: Request) -> Reply:
    try:
        asked = json.loads(request.body)
    except ValueError:
        asked = None
    if not isinstance(asked, (dict, list)):
        return _refuse(refusals.parse_error(), content_type=None)
    token = request.header("Authorization")
    if isinstance(asked, dict):
        return _single(node, asked, token)
    if not asked:
        return _refuse(refusals.invalid_request(), content_type=None)
    if len(asked) > node.max_batch:
        return _refuse(refusals.batch_too_large())
    answers = [found for item in asked if (found := _item(node, item, token)) is not None]
    return Reply(200, json.dumps(answers).encode())


def _single(node: Node, asked: dict[str, Any], token: str | None) -> Reply:
    try:
        result = _result(node, asked, token)
    except refusals.Refusal as refusal:
        return _refuse(refusal, identity=asked.get("id"))
    if "id" not in asked:
        return Reply(200)
    return Reply(200, json.dumps(_envelope(asked) | {"result": result}).encode())


def _item(node: Node, asked: Any, token: str | None) -> dict[str, Any] | None:
    """One item of a batch: it fails by itself, inside HTTP 200; a notification has no answer."""
    if not isinstance(asked, dict):
        return {"jsonrpc": "2.0", "id": None, "error": refusals.invalid_request().error}
    try:
        found = {"result": _result(node, asked, token)}
    except refusals.Refusal as refusal:
        found = {"error": refusal.error}
    return _envelope(asked) | found if "id" in asked else None


def _result(node: Node, asked: dict[str, Any], token: str | None) -> Any:
    parameters = asked.get("params", [])
    if not isinstance(parameters, list):
        raise refusals.invalid_request()
    node.require_access(asked["method"], token)
    return node.ask(asked["method"], parameters)


def _envelope(asked: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": asked.get("id")}


def _refuse(refusal: refusals.Refusal, *, identity: Any = None, content_type: str | None = JSON) -> Reply:
    body = {"jsonrpc": "2.0", "id": identity, "error": refusal.error}
    return Reply(refusal.status, json.dumps(body).encode(), content_type)
