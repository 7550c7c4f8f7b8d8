"""The run's opening on the chain, with the initial weights that its id alone decides."""

from django.utils import timezone

from consortium.common import blobs
from consortium.common.models import TransactionState
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import from_hex, uuid_to_bytes32
from training.coordination.desk import Desk
from training.coordination.ledger import ask_once, failure_of
from training.domain.states import RunState
from training.errors import RunFailedError
from training.models import Run


def open_run(desk: Desk, _round: int, _attempt: int) -> None:
    """Derive and keep the initial weights, ask for `openRun`, wait until the chain has it.

    Raises
    ------
    RunFailedError
        If the ledger refuses: the plan is not approved as it is, or its runs are used up.
    """
    data = desk.plan.training_plan.initial_weights(desk.run_id)
    with desk.write() as run:
        weights = blobs.put(consortium_id=run.consortium_id, data=data, media_type=blobs.SAFETENSORS_TYPE)
        Run.objects.filter(pk=run.pk).update(weights=weights, started_at=run.started_at or timezone.now())
        if run.state == RunState.PLANNED:
            desk.change_run(run, RunState.WAITING_FOR_SITES)
        arguments = [
            uuid_to_bytes32(run.pk),
            digest_to_bytes32(run.plan_digest),
            from_hex(run.decision, size_bytes=32),
            digest_to_bytes32(weights),
            desk.plan.terms.fields(),
        ]
        asked = ask_once(desk, "open", "openRun", lambda: arguments)
    desk.at("run_asked")

    def opened() -> bool | None:
        if (error := failure_of(asked)) is not None:
            raise RunFailedError("run_refused", f"The ledger refuses the run: {error or 'without a readable reason'}.")
        return True if desk.run.chain_state == TransactionState.CONFIRMED else None

    desk.waiter.until(opened)
    desk.at("run_opened")
