"""What happens when a decision is taken: apps above register executors, so that imports keep pointing down."""

from collections.abc import Callable

from consortium.governance.models import Proposal

Executor = Callable[[Proposal, bool], None]
_EXECUTORS: dict[str, list[Executor]] = {}


def executes(kind: str) -> Callable[[Executor], Executor]:
    """Register `executor(proposal, is_approved)` for decisions of `kind`; run as the system once decided."""

    def register(executor: Executor) -> Executor:
        _EXECUTORS.setdefault(kind, []).append(executor)
        return executor

    return register


def run_executors(proposal: Proposal, *, is_approved: bool) -> None:
    for executor in _EXECUTORS.get(proposal.kind, []):
        executor(proposal, is_approved)
