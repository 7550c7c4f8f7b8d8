"""What a real Besu network was asked and answered; tests/data/besu says how it was recorded."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "data" / "besu"
CHAIN_ID = 20_261
EXCHANGES = ("rpc", "rpc_more", "perm", "jwt")


@dataclass(frozen=True)
class Row:
    """One exchange; `request` is JSON, or text that is none, or None; `response` JSON where it was, else text."""

    file: str
    label: str
    network: str
    node: int
    verb: str
    path: str
    headers: dict[str, str]
    request: Any
    status: int
    content_type: str | None
    response: Any
    note: str = ""

    @property
    def name(self) -> str:
        return f"{self.file}: {self.label}"

    @property
    def errors(self) -> list[tuple[str, dict[str, Any]]]:
        """Each error object of the answer, with the method that was asked."""
        items = self.response if isinstance(self.response, list) else [self.response]
        asked = self.request if isinstance(self.request, list) else [self.request]
        methods = {item.get("id"): item["method"] for item in asked if isinstance(item, dict) and "method" in item}
        return [
            (methods.get(item.get("id"), "request"), item["error"])
            for item in items
            if isinstance(item, dict) and isinstance(item.get("error"), dict)
        ]


@lru_cache
def rows(file: str) -> tuple[Row, ...]:
    """All exchanges of a file, in the order in which they took place."""
    return tuple(_row(file, found) for found in lines(f"{file}.jsonl"))


def all_rows() -> tuple[Row, ...]:
    return tuple(row for file in EXCHANGES for row in rows(file))


def row(file: str, label: str) -> Row:
    return next(found for found in rows(file) if found.label == label)


@lru_cache
def _text(name: str) -> str:
    return (DATA / name).read_text()


def lines(name: str) -> list[Any]:
    """The lines of a file, parsed anew: whoever asks may change them."""
    return [json.loads(line) for line in _text(name).splitlines()]


def document(name: str) -> Any:
    return json.loads(_text(name))


def _row(file: str, found: dict[str, Any]) -> Row:
    return Row(
        file=file,
        label=found["label"],
        network=found["network"],
        node=found["node"],
        verb=found["http_method"],
        path=found["path"],
        headers=found["headers"],
        request=found["request"],
        status=found["http_status"],
        content_type=found["content_type"],
        response=found["response"],
        note=found["note"],
    )
