"""One node, asked about itself and its peers: what status, joining and reconciling have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Node(Protocol):
    """Answers as JSON has them; every question may raise `ChainError`."""

    def ask(self, method: str, parameters: Sequence[Any] = ()) -> Any: ...


@dataclass(frozen=True)
class NamedNode:
    """A node with the name that people read: host and port, without a secret of its address."""

    name: str
    node: Node
