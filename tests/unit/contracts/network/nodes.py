"""Nodes for tests that answer as the recorded network did."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.network.asking import NamedNode
from contracts.rpc.answers import error_from_answer

DATA = Path(__file__).parents[3] / "data" / "besu"


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


HEADERS = lines("headers.jsonl")
NETWORK = json.loads((DATA / "network.json").read_text())
RECORDED = {row["label"]: row["response"] for row in lines("rpc.jsonl")}
NOT_ENABLED = {"code": -32604, "message": "Method not enabled"}


def in_force(number: int) -> list[str]:
    """The set that proposes and seals a block."""
    found = next(r["members"] for r in NETWORK["validators"] if r["from_block"] <= number <= r["to_block"])
    return list(found)


def time_of(number: int) -> int:
    return int(HEADERS[number]["timestamp"], 16)


@dataclass
class RecordedNode:
    """One node at a height of the recorded chain; `answers` replace what it would say, a code is a refusal."""

    head: int = 20
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def ask(self, method: str, parameters: Sequence[Any] = ()) -> Any:
        self.asked.append(method)
        found = self.answers[method] if method in self.answers else self._recorded(method, parameters)
        if isinstance(found, Exception):
            raise found
        if isinstance(found, dict) and "code" in found:
            raise error_from_answer(method, found)
        return found

    def _recorded(self, method: str, parameters: Sequence[Any]) -> Any:
        known: dict[str, Callable[[], Any]] = {
            "eth_getBlockByNumber": lambda: self._block(parameters[0]),
            "qbft_getValidatorsByBlockNumber": lambda: in_force(min(int(parameters[0], 16) + 1, 110)),
            "net_peerCount": lambda: RECORDED["peer count"]["result"],
            "net_enode": lambda: RECORDED["enode"]["result"],
            "admin_peers": lambda: RECORDED["peers"]["result"],
        }
        return known[method]() if method in known else NOT_ENABLED

    def _block(self, number: str) -> dict[str, Any] | None:
        at = self.head if number == "latest" else int(number, 16)
        return HEADERS[at] if at <= self.head else None


def named(node: Any, name: str = "10.0.0.1:8545") -> NamedNode:
    return NamedNode(name, node)
