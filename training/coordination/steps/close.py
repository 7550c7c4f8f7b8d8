"""Closing a round by itself: the last one, or one that no opening follows at once."""

from consortium.kernel.identifiers import uuid_to_bytes32
from training.coordination.desk import Desk
from training.coordination.ledger import ask_once, closing_of, failure_of
from training.domain.states import AttemptState, RunState
from training.errors import RunFailedError


def close(desk: Desk, round_number: int, number: int) -> None:
    """Ask for `finishRun` or `closeRound`, and wait until the chain has it.

    Raises
    ------
    RunFailedError
        If the ledger refuses the result.
    """
    attempt = desk.attempt(round_number, number)
    is_last = round_number == desk.plan.terms.rounds
    function = "finishRun" if is_last else "closeRound"
    with desk.write():
        asked = ask_once(
            desk,
            f"{round_number}.{number}:close",
            function,
            lambda: [uuid_to_bytes32(desk.run_id), closing_of(attempt)],
        )
    desk.at("closing_asked")

    def closed() -> bool | None:
        if (error := failure_of(asked)) is not None:
            raise RunFailedError("close_refused", f"The ledger refuses to close round {round_number}: {error}.")
        is_closed = desk.attempt(round_number, number).state == AttemptState.CLOSED
        return True if is_closed and (not is_last or desk.run.state == RunState.COMPLETED) else None

    desk.waiter.until(closed)
    desk.at("closed")
