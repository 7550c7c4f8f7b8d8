"""The coordinator of one run: takes the lease, asks what comes next, does it, until the run has ended or is paused.

It keeps nothing in memory that matters: whoever takes over reads rows and chain and goes on. It trusts no
answer, holds no secret of a site, and reveals nothing that t sites have not agreed to reveal.
"""

import logging
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from training.backends.base import Backend, RunStart
from training.backends.known import make_backend
from training.coordination import endings
from training.coordination.desk import Desk, Hook, go_on, make_desk, watch
from training.coordination.facts import is_pausing, read_facts
from training.coordination.lease import Lease, kept, take_lease
from training.coordination.patience import PATIENT, Patience
from training.coordination.steps.aggregate import aggregate
from training.coordination.steps.announce import announce, ask_anew
from training.coordination.steps.close import close
from training.coordination.steps.open import open_attempt
from training.coordination.steps.open_run import open_run
from training.coordination.steps.reveal import reveal
from training.coordination.steps.shares import gather_shares
from training.coordination.steps.survivors import agree_on_survivors
from training.coordination.steps.train import train
from training.coordination.steps.verify import verify
from training.coordination.waiting import Waiter
from training.domain.progress import Next, RunFacts, Step, next_step
from training.domain.states import AttemptState, RunState
from training.errors import AttemptFailedError, FenceLostError, RunFailedError, RunStoppedError
from training.models import Run, RunOrder

logger = logging.getLogger(__name__)
# Faults of our own in a row, without a round between them, before a run is given up.
MAX_FAULTS = 10

STEPS: Mapping[Step, Callable[[Desk, int, int], None]] = {
    Step.OPEN_RUN: open_run,
    Step.ANNOUNCE: announce,
    Step.OPEN: open_attempt,
    Step.SHARES: gather_shares,
    Step.TRAIN: train,
    Step.SURVIVORS: agree_on_survivors,
    Step.REVEAL: reveal,
    Step.AGGREGATE: aggregate,
    Step.VERIFY: verify,
    Step.CLOSE: close,
}


def coordinate(run_id: UUID, *, patience: Patience = PATIENT, at: Hook = go_on, backend: Backend | None = None) -> bool:
    """Coordinate a run until it ends or is paused, as the system's database role.

    Returns
    -------
    bool
        False if another coordinator holds it, or it has ended; nothing was done then.

    Raises
    ------
    FenceLostError
        If another coordinator took over; it goes on where this one stopped.
    """
    lease = take_lease(run_id, f"{socket.gethostname()}:{os.getpid()}")
    if lease is None:
        return False
    at("leased")
    chosen = backend or make_backend(Run.objects.values_list("backend", flat=True).get(pk=run_id))
    try:
        with kept(lease), Waiter(lambda: watch(lease)) as waiter:
            desk = make_desk(lease, backend=chosen, patience=patience, at=at, waiter=waiter)
            _coordinate(desk)
    except FenceLostError:
        raise
    except Exception:
        _note_fault(lease)
        raise
    finally:
        chosen.close()
    lease.release()
    return True


def _coordinate(desk: Desk) -> None:
    try:
        desk.backend.start(_start(desk, read_facts(desk.run_id)))
        while _go_on(desk):
            pass
    except RunStoppedError as stop:
        if stop.fields["state"] == RunState.CANCELED and desk.run.state != RunState.CANCELED:
            endings.cancel_run(desk)
    except RunFailedError as failure:
        endings.fail_run(desk, failure)


def _go_on(desk: Desk) -> bool:
    """Do the next step; False when there is none."""
    watch(desk.lease)
    facts = read_facts(desk.run_id)
    if _pauses(desk, facts):
        return False
    coming = next_step(facts)
    if coming.step is Step.FINISHED:
        return False
    try:
        STEPS[coming.step](desk, coming.round, coming.attempt)
    except AttemptFailedError as failure:
        endings.abandon(desk, desk.attempt(coming.round, coming.attempt), failure.reason, failure.message)
    _forget_faults(desk, coming)
    return True


def _pauses(desk: Desk, facts: RunFacts) -> bool:
    """Obey a pause between two rounds: nothing is open then, and nothing waits to be closed."""
    run, latest = desk.run, facts.latest
    if run.state == RunState.PAUSED:
        return True
    between = latest is None or latest.state in (AttemptState.CLOSED, AttemptState.ABANDONED)
    if latest is not None and latest.state == AttemptState.ANNOUNCED:
        between = facts.previous is None or facts.previous.state == AttemptState.CLOSED
    if not (facts.is_pausing and between and run.state == RunState.RUNNING):
        return False
    if latest is not None and latest.state == AttemptState.ANNOUNCED:
        ask_anew(desk, desk.attempt(latest.round, latest.number))
    with desk.write() as locked:
        if is_pausing(locked.pk):
            desk.change_run(locked, RunState.PAUSED)
            locked.orders.filter(kind=RunOrder.Kind.PAUSE, obeyed_at__isnull=True).update(obeyed_at=timezone.now())
    return True


def _start(desk: Desk, facts: RunFacts) -> RunStart:
    return RunStart(
        run=desk.run_id,
        fence=desk.lease.fence,
        folder=Path(settings.PLATFORM_FOLDER) / "runs" / str(desk.run_id),
        sites=desk.plan.sites,
        code_digest=desk.plan.code_digest,
        from_round=facts.latest.round if facts.latest else 1,
    )


def _note_fault(lease: Lease) -> None:
    """Count a fault and let go: the sweep calls the next coordinator after a pause, or gives the run up."""
    Run.objects.filter(pk=lease.run_id, fence=lease.fence).update(
        faults=F("faults") + 1, lease_until=None, lease_holder=""
    )


def _forget_faults(desk: Desk, done: Next) -> None:
    if done.step in (Step.OPEN, Step.CLOSE):
        Run.objects.filter(pk=desk.run_id, fence=desk.lease.fence).exclude(faults=0).update(faults=0)
