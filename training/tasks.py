"""Doors of the runs' worker and of beat."""

import logging
from collections.abc import Callable
from uuid import UUID

from celery import shared_task
from django.db import transaction

from consortium.common.correlation import following
from consortium.common.tenancy import act_for_all
from training.coordination.coordinator import coordinate
from training.coordination.following import correlation_of_run
from training.errors import FenceLostError
from training.registry.candidates import make_candidates, register_signed
from training.services import sweep

logger = logging.getLogger(__name__)


@shared_task(acks_late=False, reject_on_worker_lost=False)
def coordinate_run(run_id: str) -> bool:
    """Coordinate one run; acknowledged at once, for it is the lease that finds a run again, not the broker."""
    with act_for_all(), following(correlation_of_run(UUID(run_id))):
        try:
            return coordinate(UUID(run_id))
        except FenceLostError as error:
            logger.info("%s", error.message, extra={"run": run_id})
            return False


@shared_task
def sweep_runs() -> int:
    """Call coordinators, obey orders, follow signatures; beat calls this each second."""
    with act_for_all():
        for duty in (sweep.resume_ordered, sweep.give_up_faulty, make_candidates, register_signed, sweep.end_signed):
            _do(duty)
        with transaction.atomic():
            called = sweep.runs_to_call()
    for run_id in called:
        coordinate_run.delay(str(run_id))
    return len(called)


def _do(duty: Callable[[], int]) -> None:
    """Do one duty of the sweep; a fault of it must not keep the others from being done."""
    try:
        with transaction.atomic():
            duty()
    except Exception:
        logger.exception("The sweep failed at %s.", duty.__name__)
