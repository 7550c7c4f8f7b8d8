"""What a node answers, a module for each kind of question; a method's name is the function's."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.besu.methods.blocks import Blocks
from tests.besu.methods.calls import Calls
from tests.besu.methods.operation import Operation
from tests.besu.methods.pooling import Pooling
from tests.besu.methods.state import State

if TYPE_CHECKING:
    from tests.besu.node import Node


def methods_of(node: "Node") -> dict[str, Callable[..., Any]]:
    """The node's methods by their RPC names."""
    parts = [kind(node) for kind in (Blocks, Calls, Operation, Pooling, State)]
    return {
        name: getattr(part, name) for part in parts for name in dir(part) if "_" in name.strip("_") and name[0] != "_"
    }
