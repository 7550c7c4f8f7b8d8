"""What every step has at hand: the run's plan, its lease, the wait, the back end, and how to write."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.utils import timezone

from audit.acts import Subject
from audit.recorder import record
from consortium.common import blobs
from consortium.kernel.eip712 import Domain
from consortium.kernel.identifiers import from_hex
from contracts.models import ContractDeployment
from training.backends.base import AttemptTask, Backend
from training.coordination.lease import COORDINATOR, Lease
from training.coordination.patience import Patience
from training.coordination.signatures import SiteSignatures
from training.coordination.waiting import Waiter
from training.domain.plan_document import PlanDocument, parse_plan
from training.domain.states import ATTEMPT, RUN, RunState
from training.errors import FenceLostError, RunStoppedError
from training.federated.secagg.context import AttemptContext
from training.models import Attempt, LineageRow, Run, RunOrder
from training.notices import tell

LEDGER = "TrainingLedger"
_WATCHED = (
    f"SELECT state, EXISTS (SELECT FROM {RunOrder._meta.db_table} WHERE run_id = run.id AND kind = %s "  # noqa: S608  constants
    f"AND obeyed_at IS NULL) FROM {Run._meta.db_table} AS run WHERE id = %s AND fence = %s"
)
# Named moments, so that tests can end a coordinator between any two of them.
Hook = Callable[[str], None]


def go_on(moment: str) -> None:
    """The hook of a running program: nothing."""


@dataclass
class Desk:
    """One coordinator's place of work; `run` is read anew at each use, since others write to it too."""

    lease: Lease
    plan: PlanDocument
    ledger_address: str
    signatures: SiteSignatures
    backend: Backend
    patience: Patience
    at: Hook
    waiter: Waiter

    @property
    def run_id(self) -> UUID:
        return self.lease.run_id

    @property
    def run(self) -> Run:
        return Run.objects.select_related("consortium").get(pk=self.run_id)

    @property
    def consortium_id(self) -> UUID:
        return self.signatures.consortium_id

    @contextmanager
    def write(self) -> Iterator[Run]:
        """Write under the fence, and wake who follows the run."""
        with self.lease.write() as run:
            yield run
            tell(run.pk)

    def attempt(self, round_number: int, number: int) -> Attempt:
        return Attempt.objects.select_related("round", "run").get(
            run_id=self.run_id, round__number=round_number, number=number
        )

    def context(self, attempt: Attempt) -> AttemptContext:
        """Return what all keys and shares of the attempt are bound to."""
        ledger = from_hex(self.ledger_address, size_bytes=20)
        chain_id = self.signatures.domain.chain_id
        return AttemptContext(chain_id, ledger, self.run_id, attempt.round.number, attempt.number)

    def task(self, attempt: Attempt, sites: tuple[UUID, ...]) -> AttemptTask:
        """Return the attempt as the back end sees it."""
        layout = self.plan.training_plan.layout()
        return AttemptTask(attempt.round.number, attempt.number, attempt.weights, sites, layout.size, layout.ring_bits)

    def weights_of(self, attempt: Attempt) -> bytes:
        return bytes(blobs.get(consortium_id=self.consortium_id, digest=attempt.weights).data)

    def advance(self, attempt: Attempt, state: str | None = None, **values: object) -> None:
        """Change the attempt inside `write`; a change of state only along the table, by a guarded update."""
        guard = Attempt.objects.filter(pk=attempt.pk)
        if state is not None:
            guard = guard.filter(state__in=ATTEMPT.sources(state))
            values["state"] = state
        if guard.update(**values) != 1:
            ATTEMPT.ensure(self.attempt(attempt.round.number, attempt.number).state, str(state))
            raise FenceLostError("The attempt changed while it was written.")

    def change_run(self, run: Run, state: str, reason: str = "", **values: object) -> None:
        """Change the run's state inside `write`, and record it."""
        RUN.ensure(run.state, state)
        ended = {"ended_at": timezone.now()} if RUN.is_terminal(state) else {}
        Run.objects.filter(pk=run.pk, state=run.state).update(state=state, **ended, **values)
        run.state = state
        self.record("training.run.change", state=state, **({"reason": reason} if reason else {}))

    def record(self, action: str, **data: object) -> None:
        """Record an act of the coordinator in the consortium's log."""
        record(
            action=action,
            organization_id=None,
            consortium_id=self.consortium_id,
            actor=COORDINATOR,
            subject=Subject("run", str(self.run_id)),
            data=data,
        )

    def keep_lineage(self) -> None:
        """Keep the tasks that have ended; inside `write`."""
        rows = [
            LineageRow(
                consortium_id=self.consortium_id,
                run_id=self.run_id,
                round=entry.round,
                attempt=entry.attempt,
                organization_id=entry.organization,
                kind=entry.kind,
                backend=self.backend.name,
                compute_plan=entry.compute_plan,
                key=entry.key,
                status=entry.status,
                parents=list(entry.parents),
                output_digest=entry.output_digest,
                started_at=entry.started_at,
                ended_at=entry.ended_at,
            )
            for entry in self.backend.lineage()
        ]
        LineageRow.objects.bulk_create(rows, ignore_conflicts=True)


def watch(lease: Lease) -> None:
    """Raise where a coordinator must not go on: its lease is lost, or somebody canceled the run."""
    lease.ensure_held()
    # Asked at every look at every step, so often that composing the query was a seventh of the coordinator's time.
    with connection.cursor() as cursor:
        cursor.execute(_WATCHED, [RunOrder.Kind.CANCEL, lease.run_id, lease.fence])
        found = cursor.fetchone()
    if found is None:
        raise FenceLostError(f"Run {lease.run_id} was taken over from fence {lease.fence}.")
    state, is_canceled = found
    if state in (RunState.CANCELED, RunState.FAILED):
        raise RunStoppedError("The run has ended.", state=state)
    if is_canceled:
        raise RunStoppedError("The run was canceled.", state=RunState.CANCELED)


def make_desk(lease: Lease, *, backend: Backend, patience: Patience, at: Hook, waiter: Waiter) -> Desk:
    """Set a desk up from what is stored.

    Raises
    ------
    NotFoundError, PlanInvalidError
        If the plan's document is not there or not the plan's.
    """
    run = Run.objects.select_related("consortium").get(pk=lease.run_id)
    document = blobs.get(consortium_id=run.consortium_id, digest=run.plan_digest)
    ledger = ContractDeployment.objects.get(consortium_id=run.consortium_id, name=LEDGER)
    domain = Domain(LEDGER, run.consortium.chain_id, ledger.address)
    return Desk(
        lease=lease,
        plan=parse_plan(bytes(document.data)),
        ledger_address=ledger.address.lower(),
        signatures=SiteSignatures(run.consortium_id, domain),
        backend=backend,
        patience=patience,
        at=at,
        waiter=waiter,
    )
