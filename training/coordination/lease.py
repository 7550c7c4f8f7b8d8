"""One coordinator a run: a lease that is renewed, and a fence that only rises and guards every write."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from audit.acts import Actor, Subject
from audit.recorder import record
from training.coordination.patience import LEASE_SECONDS, RENEWAL_SECONDS
from training.domain.states import RUN
from training.errors import FenceLostError
from training.models import Run

logger = logging.getLogger(__name__)
COORDINATOR = Actor.system("coordinator")


@dataclass(frozen=True)
class Lease:
    """The right to coordinate a run, as long as no higher fence is in the database."""

    run_id: UUID
    fence: int
    lost: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def write(self) -> Iterator[Run]:
        """Open a transaction that holds the run's row under this fence: a takeover waits for it, or has won.

        Raises
        ------
        FenceLostError
            If another coordinator has taken over; nothing is written.
        """
        with transaction.atomic():
            run = Run.objects.select_for_update(no_key=True).filter(pk=self.run_id, fence=self.fence).first()
            if run is None:
                self.lost.set()
                raise FenceLostError(f"Run {self.run_id} was taken over; fence {self.fence} writes nothing any more.")
            yield run

    def ensure_held(self) -> None:
        """Stop early where the renewal has found the lease gone; the guard of `write` would stop it anyhow."""
        if self.lost.is_set():
            raise FenceLostError(f"Run {self.run_id} was taken over from fence {self.fence}.")

    def renew(self) -> bool:
        """Hold the run for another five seconds; False if it was taken over."""
        own = Run.objects.filter(pk=self.run_id, fence=self.fence)
        if own.update(lease_until=_in(LEASE_SECONDS)) == 1:
            return True
        self.lost.set()
        return False

    def release(self) -> None:
        """Let the next coordinator take the run at once."""
        Run.objects.filter(pk=self.run_id, fence=self.fence).update(lease_until=None, lease_holder="")


def take_lease(run_id: UUID, holder: str) -> Lease | None:
    """Take a live run that nobody holds, raising its fence; None if it has ended or another holds it."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
    with transaction.atomic():
        taken = Run.objects.filter(free, pk=run_id, state__in=RUN.live)
        if not taken.update(fence=F("fence") + 1, lease_holder=holder[:80], lease_until=_in(LEASE_SECONDS)):
            return None
        run = Run.objects.get(pk=run_id)
        record(
            action="training.lease.take",
            organization_id=None,
            consortium_id=run.consortium_id,
            actor=COORDINATOR,
            subject=Subject("run", str(run_id)),
            data={"fence": run.fence},
        )
        return Lease(run_id, run.fence)


@contextmanager
def kept(lease: Lease) -> Iterator[None]:
    """Renew the lease every second from a thread of its own until the block ends."""
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(lease, done), name=f"lease of {lease.run_id}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _keep(lease: Lease, done: threading.Event) -> None:
    try:
        while not done.wait(RENEWAL_SECONDS):
            try:
                if not lease.renew():
                    return
            except DatabaseError as error:
                # The next second tries again; a lease that runs out meanwhile is somebody else's by right.
                logger.warning("The lease of run %s was not renewed: %s", lease.run_id, type(error).__name__)
                connection.close()
    finally:
        connection.close()


def _in(seconds: float) -> Combinable:
    """The database's clock, which all hosts share."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())
