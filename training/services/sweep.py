"""What must not be forgotten, looked at each second: runs without a coordinator, orders, answers of authors' agents."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.kernel.eip712 import Domain
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.membership.channel import work
from consortium.membership.models import WorkItem
from contracts import outbox
from contracts.models import ContractDeployment
from training.coordination.coordinator import MAX_FAULTS
from training.coordination.desk import LEDGER
from training.coordination.signatures import SiteSignatures
from training.domain.endings import reason_digest
from training.domain.messages import read_signature
from training.domain.states import RUN, RunState
from training.errors import AnswerInvalidError
from training.federated.errors import SignatureRefusedError, WireFormatError
from training.federated.wire import read_object
from training.models import Run, RunOrder
from training.notices import tell

SWEEP = Actor.system("sweep")
# A coordinator that was called and has not come yet is called again after so long.
RECALL_SECONDS = 5


def runs_to_call() -> list[UUID]:
    """Return the runs that need a coordinator and have none, and note that one was called for each."""
    now = timezone.now()
    unheld = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
    uncalled = Q(called_at__isnull=True) | Q(called_at__lt=now - timedelta(seconds=RECALL_SECONDS))
    canceled = Q(orders__kind=RunOrder.Kind.CANCEL, orders__obeyed_at__isnull=True)
    active = Q(state__in=[state for state in RUN.live if state != RunState.PAUSED])
    due = Run.objects.filter(unheld, uncalled, active | canceled & Q(state=RunState.PAUSED), faults__lt=MAX_FAULTS)
    wanted = list(due.values_list("pk", flat=True).distinct())
    return [pk for pk in wanted if Run.objects.filter(unheld, uncalled, pk=pk).update(called_at=now)]


def resume_ordered() -> int:
    """Let paused runs go on whose people ordered it; return how many."""
    due = RunOrder.objects.filter(kind=RunOrder.Kind.RESUME, obeyed_at__isnull=True).values_list("run_id", flat=True)
    return sum(_resume(run_id) for run_id in due.distinct())


def give_up_faulty() -> int:
    """Fail the runs whose coordinators failed again and again; return how many."""
    count = 0
    for run_id in Run.objects.filter(faults__gte=MAX_FAULTS, state__in=RUN.live).values_list("pk", flat=True):
        with transaction.atomic():
            run = Run.objects.select_for_update(no_key=True).get(pk=run_id)
            if not RUN.is_terminal(run.state):
                Run.objects.filter(pk=run_id).update(
                    failure_code="coordinator_fault",
                    failure_text="The coordinator failed again and again; the operator's log says why.",
                    ended_at=timezone.now(),
                )
                _change(run, RunState.FAILED, "coordinator_fault")
                count += 1
    return count


def end_signed() -> int:
    """Pass on the endings that authors' agents have signed; return how many."""
    return sum(_end(run) for run in Run.objects.filter(ending_work__isnull=False).select_related("consortium"))


def _resume(run_id: UUID) -> int:
    with transaction.atomic():
        run = Run.objects.select_for_update(no_key=True).get(pk=run_id)
        run.orders.filter(kind=RunOrder.Kind.RESUME, obeyed_at__isnull=True).update(obeyed_at=timezone.now())
        if run.state != RunState.PAUSED:
            return 0
        _change(run, RunState.RUNNING, "resumed")
        return 1


def _end(run: Run) -> int:
    settled = WorkItem.objects.exclude(state__in=work.WAITING)
    item = settled.filter(pk=run.ending_work).first() if run.ending_work else None
    if item is None:
        return 0
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(ending_work=None)
        if item.state != WorkItem.State.DONE:
            return 0
        reason = reason_digest(item.payload["code"])
        try:
            signature = read_signature(read_object(item.result, ("signature",), what="answer to cancel")["signature"])
            fields: dict[str, int | bytes] = {"run": uuid_to_bytes32(run.pk), "reason": reason}
            _signatures(run).verify(run.organization_id, "CancelRun", fields, signature)
        except (AnswerInvalidError, SignatureRefusedError, WireFormatError):
            # The run has ended here; on the chain it stays open until its author signs.
            return 0
        outbox.enqueue(
            consortium_id=run.consortium_id,
            contract=LEDGER,
            function="cancelRun",
            arguments=[fields["run"], reason, signature],
            idempotency_key=f"run:{run.pk}:cancel",
        )
    return 1


def _signatures(run: Run) -> SiteSignatures:
    ledger = ContractDeployment.objects.get(consortium_id=run.consortium_id, name=LEDGER)
    return SiteSignatures(run.consortium_id, Domain(LEDGER, run.consortium.chain_id, ledger.address))


def _change(run: Run, state: str, reason: str) -> None:
    RUN.ensure(run.state, state)
    Run.objects.filter(pk=run.pk).update(state=state)
    record(
        action="training.run.change",
        organization_id=None,
        consortium_id=run.consortium_id,
        actor=SWEEP,
        subject=Subject("run", str(run.pk)),
        data={"state": str(state), "reason": reason},
    )
    tell(run.pk)
