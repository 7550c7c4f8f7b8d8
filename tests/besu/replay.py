"""Recorded questions with their recorded answers; everything else falls to the model."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tests.besu import refusals
from tests.besu.exchange import Reply, Request, answer
from tests.besu.ledger import recorded_ledger
from tests.besu.methods import methods_of
from tests.besu.node import Node, as_text
from tests.besu.recordings import Row, all_rows, document, lines, rows

# Headers that change an answer.
_TELLING = ("Host", "Authorization", "Content-Type")


class Replay:
    """A server's `respond` that knows recorded exchanges by verb, path, telling headers and body.

    The id of a question does not matter and comes back as it was sent. A question that was asked several
    times is answered in the recorded order, the last answer again and again.
    """

    def __init__(self, recorded: Iterable[Row] | None = None) -> None:
        self._answers: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for row in recorded if recorded is not None else all_rows():
            self._answers[key_of(row.verb, row.path, row.headers, _body(row))].append(row)

    def __call__(self, node: Node, request: Request) -> Reply:
        own = dict(request.headers)
        if str(own.get("Host", "")).startswith("127.0.0.1"):
            own.pop("Host")
        found = self._answers.get(key_of(request.verb, request.path, own, request.body))
        if not found:
            return answer(node, request)
        row = found.pop(0) if len(found) > 1 else found[0]
        return Reply(row.status, _with_ids(row, request.body), row.content_type)


def key_of(verb: str, path: str, headers: dict[str, str], body: bytes) -> tuple[str, ...]:
    """What tells two exchanges apart."""
    telling = {name.title(): value for name, value in headers.items() if name.title() in _TELLING}
    if telling.get("Content-Type") == "application/json":
        telling.pop("Content-Type")
    return (verb, path, as_text(telling), _without_ids(body))


def recorded_node(*, until: int = 110, **options: Any) -> Node:
    """A node of the recorded network: its blocks, its logs, and what its contracts were seen to answer."""
    node = Node(recorded_ledger(until=until), **options)
    node.known = _known_answers()
    node.methods = methods_of(node)
    node.ledger.codes |= _codes()
    return node


def _known_answers() -> dict[tuple[str, str], Any]:
    """Results and refusals of single calls, by method and parameters; proofs, calls, and what no rule covers."""
    found: dict[tuple[str, str], Any] = {}
    for row in rows("rpc"):
        if row.verb == "POST" and row.path == "/" and isinstance(row.request, dict) and "method" in row.request:
            key = (row.request["method"], as_text(row.request.get("params", [])))
            if isinstance(row.response, dict):
                found[key] = _outcome(row.response)
    for proof in lines("proofs.jsonl"):
        request = proof["request"]
        found[request["method"], as_text(request["params"])] = _outcome(proof["response"])
    return found


def _outcome(response: dict[str, Any]) -> Any:
    if (error := response.get("error")) is not None:
        return refusals.Refusal(error["code"], error["message"], data=error.get("data"))
    return response.get("result")


def _codes() -> dict[str, str]:
    contracts = document("network.json")["contracts"]
    recorder = document("contracts/Recorder.json")
    code = recorder.get("runtime_bytecode") or recorder.get("deployedBytecode") or "0x00"
    return {contracts["Recorder"]["address"]: code}


def _body(row: Row) -> bytes:
    if row.request is None:
        return b""
    return row.request.encode() if isinstance(row.request, str) else json.dumps(row.request).encode()


def _without_ids(body: bytes) -> str:
    try:
        asked = json.loads(body)
    except ValueError:
        return body.decode("latin-1")
    items = asked if isinstance(asked, list) else [asked]
    named = [item | {"id": 0} if isinstance(item, dict) and "id" in item else item for item in items]
    return as_text(named if isinstance(asked, list) else named[0])


def _with_ids(row: Row, body: bytes) -> bytes:
    """The recorded answer under the ids of this question."""
    if isinstance(row.response, str):
        return row.response.encode()
    if not isinstance(row.request, (dict, list)) or not isinstance(row.response, (dict, list)):
        return json.dumps(row.response).encode()
    asked = json.loads(body)
    before = row.request if isinstance(row.request, list) else [row.request]
    now = asked if isinstance(asked, list) else [asked]
    names = {as_text(b.get("id")): n.get("id") for b, n in zip(before, now, strict=False) if isinstance(b, dict)}
    answers = row.response if isinstance(row.response, list) else [row.response]
    renamed = [item | {"id": names.get(as_text(item["id"]), item["id"])} if "id" in item else item for item in answers]
    return json.dumps(renamed if isinstance(row.response, list) else renamed[0]).encode()
