"""Runs: asked for by the plan's author, started by a coordinator, paused, resumed and canceled by order."""

from uuid import UUID

from django.utils.translation import gettext as _

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.common.api import ensure_atomic
from training.access import access_plan, access_run, require_author
from training.backends.known import ensure_known
from training.domain.states import RUN, PlanState, RunState
from training.errors import PlanNotApprovedError, RunNotLiveError, RunsUsedUpError
from training.models import Plan, Run, RunOrder
from training.notices import tell
from training.services.plans import document_of

# Where each order may be given.
FROM = {
    RunOrder.Kind.PAUSE: (RunState.RUNNING,),
    RunOrder.Kind.RESUME: (RunState.PAUSED,),
    RunOrder.Kind.CANCEL: tuple(RunState(state) for state in RUN.live),
}


def start_run(*, plan_id: UUID, backend: str, organization_id: UUID, actor: Actor) -> Run:
    """Ask for a run of an approved plan; a coordinator takes it up within a second.

    Raises
    ------
    PlanNotApprovedError
        If no approval stands for exactly this plan.
    RunsUsedUpError
        If the approval covers no further run.
    """
    ensure_atomic()
    plan = access_plan(plan_id)
    require_author(plan, organization_id)
    if plan.state != PlanState.APPROVED or plan.proposal is None:
        raise PlanNotApprovedError(
            _("The plan is %(state)s. A run needs the members' approval of exactly this plan.") % {"state": plan.state}
        )
    terms = document_of(plan).terms
    _ensure_runs_left(plan, terms.max_runs)
    run = Run.objects.create(
        consortium_id=plan.consortium_id,
        organization_id=organization_id,
        plan=plan,
        plan_digest=plan.digest,
        decision=plan.proposal.chain_key,
        backend=ensure_known(backend),
        rounds=terms.rounds,
    )
    record(
        action="training.run.create",
        organization_id=None,
        consortium_id=run.consortium_id,
        actor=actor,
        subject=Subject("run", str(run.pk)),
        data={"plan": plan.digest, "backend": run.backend},
    )
    tell(run.pk)
    return run


def order_run(*, run_id: UUID, kind: str, reason: str, organization_id: UUID, actor: Actor) -> RunOrder:
    """Leave an order for the run's coordinator.

    Raises
    ------
    RunNotLiveError
        If the run is in no state where this may be ordered; nothing is kept then.
    """
    ensure_atomic()
    run = access_run(run_id)
    require_author(run, organization_id)
    if run.state not in FROM[RunOrder.Kind(kind)]:
        raise RunNotLiveError(
            _("The run is %(state)s, so it cannot be told to %(order)s.") % {"state": run.state, "order": kind},
            state=run.state,
        )
    order = RunOrder.objects.create(
        consortium_id=run.consortium_id, organization_id=organization_id, run=run, kind=kind, reason=reason
    )
    record(
        action="training.run.change",
        organization_id=None,
        consortium_id=run.consortium_id,
        actor=actor,
        subject=Subject("run", str(run.pk)),
        data={"state": str(run.state), "reason": f"{kind}_ordered"},
    )
    tell(run.pk)
    return order


def _ensure_runs_left(plan: Plan, maximum: int) -> None:
    """Count the runs that opened a round or may still do so; the ledger counts them too."""
    ended_unopened = Run.objects.filter(plan=plan, state__in=RUN.terminal, attempts__opened_at__isnull=True)
    opened = Run.objects.filter(plan=plan, attempts__opened_at__isnull=False)
    used = Run.objects.filter(plan=plan).exclude(pk__in=ended_unopened.exclude(pk__in=opened)).count()
    if used >= maximum:
        raise RunsUsedUpError(
            _("The approval covers %(count)d runs, and all are used. Put the plan to the vote anew.")
            % {"count": maximum}
        )
