"""Refusals of the consent services."""

from collections.abc import Sequence
from typing import Any

from consent.fhir.errors import ElementProblem
from consortium.kernel.errors import ConflictError, InvalidInputError


class BatchRefusedError(InvalidInputError):
    """A batch is taken whole or not at all; `problems` name each line and element that stands against it."""

    code = "batch_refused"

    def __init__(self, message: str, problems: Sequence[tuple[int, ElementProblem]] = (), **fields: Any) -> None:
        super().__init__(message, **fields)
        self.problems = [
            {"line": line, "element": problem.path, "reason": problem.reason} for line, problem in problems
        ]


class BatchOutOfOrderError(ConflictError):
    """Batches come in order, without a gap; send the missing one first."""

    code = "batch_out_of_order"


class GrantAlreadyWithdrawnError(ConflictError):
    """The consent is withdrawn already, or in another final state."""

    code = "grant_already_withdrawn"


class ReceiptDiffersError(ConflictError):
    """The receipt does not fit the withdrawal, or another receipt was given before."""

    code = "receipt_differs"
