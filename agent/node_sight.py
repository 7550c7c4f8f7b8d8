"""Whether this member's own node sees the node that a vote would let write blocks.

Two thirds must vote for an activation, and each of them is told by its own node: so a validator is
activated only after a quorum has seen it in sync. It is shown and forbids nothing: a member may know more.
"""

from pathlib import Path

from agent.chain import Chain
from agent.configuration import Configuration
from agent.questions import Question
from consortium.kernel.errors import ConsiliumError
from contracts.network.asking import Node
from contracts.network.operations_port import OperationsPort
from contracts.network.points import Point, State
from contracts.network.sync import seen_in_sync

ACTIVATION = "ActivateValidator"
_REMEDY = "Name the operations port of your own node as operations_url under [chain] in site.toml."


class NodeSight:
    """Looks through the member's own node."""

    def __init__(self, chain: Chain, operations: Node | None) -> None:
        self._chain = chain
        self._operations = operations

    def of(self, question: Question) -> Point | None:
        """Say what is seen of the node that the question is about; None where it is about none."""
        if question.kind != ACTIVATION:
            return None
        registry = question.consortium.reference("ConsortiumRegistry")
        try:
            validator = self._chain.call(registry, "organization", question.subject)["validator"]
        except ConsiliumError as error:
            return Point("sync", State.UNKNOWN, error.message)
        found = seen_in_sync(validator, self._operations)
        return found if self._operations else Point(found.name, found.state, found.text, _REMEDY)


def open_operations(configuration: Configuration) -> Node | None:
    """Return the operations port of the member's own node, None where none is named."""
    if not configuration.operations_url:
        return None
    file = Path(configuration.operations_token_file) if configuration.operations_token_file else None
    return OperationsPort(configuration.operations_url, token_file=file)
