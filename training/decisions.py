"""What the members' decisions make of plans and models: the board decides, the rows follow."""

from uuid import UUID

from audit.acts import Actor, Subject
from audit.recorder import record_once
from consortium.governance.domain.kinds import DECISION_KINDS
from consortium.governance.models import Proposal
from consortium.governance.registry import executes
from consortium.kernel.digests import bytes32_to_digest
from consortium.kernel.identifiers import from_hex, to_hex
from contracts import outbox
from contracts.events import ChainEvent
from contracts.projections import projects
from contracts.reading.read_models import read_model
from training.domain.states import MODEL, PLAN, ModelState, PlanState
from training.models import Model, Plan

PROJECTOR = Actor.system("projector")
_UNDECIDED = "CASE WHEN proposal_id IS NOT NULL AND state <> 'retired' THEN {} ELSE {} END"
read_model(
    Plan,
    before={
        "state": _UNDECIDED.format("'draft'", "state"),
        "proposal_id": _UNDECIDED.format("NULL", "proposal_id"),
        "decided_block": _UNDECIDED.format("NULL", "decided_block"),
    },
    ours={
        "created_at": "our clock",
        **dict.fromkeys(("consortium_id", "organization_id", "title", "copied_from_id"), "the author's draft"),
        **dict.fromkeys(("digest", "subject"), "names the row"),
    },
)


@projects("DecisionOpened", contract="DecisionBoard")
def decision_opened(consortium_id: UUID, event: ChainEvent) -> None:
    """A plan or model whose subject is put to the vote is proposed; governance has its row by now."""
    proposal = Proposal.objects.get(
        consortium_id=consortium_id, contract="DecisionBoard", chain_key=to_hex(event.arguments["decision"])
    )
    kind = event.arguments["kind"]
    if kind == DECISION_KINDS["approve_plan"]:
        plan = Plan.objects.filter(consortium_id=consortium_id, subject=proposal.subject, state=PlanState.DRAFT).first()
        if plan is not None:
            Plan.objects.filter(pk=plan.pk).update(state=PlanState.PROPOSED, proposal=proposal)
            _record(proposal, plan, "plan", "training.plan.propose", digest=plan.digest, proposal=str(proposal.pk))
    elif kind == DECISION_KINDS["release_model"]:
        model = _model(proposal)
        if model is not None and model.state == ModelState.CANDIDATE:
            Model.objects.filter(pk=model.pk).update(state=ModelState.PROPOSED, proposal=proposal)
            _record(proposal, model, "model", "model.release.propose", digest=model.digest, proposal=str(proposal.pk))


@executes("approve_plan")
def decide_plan(proposal: Proposal, is_approved: bool) -> None:
    """Approve or reject the plan that the subject stands for; another plan of other bytes has another subject."""
    plan = Plan.objects.filter(consortium_id=proposal.consortium_id, subject=proposal.subject).first()
    if plan is None:
        return
    state = PlanState.APPROVED if is_approved else PlanState.REJECTED
    changed = Plan.objects.filter(pk=plan.pk, state__in=[PlanState.DRAFT, *PLAN.sources(state)]).update(
        state=state, proposal=proposal, decided_block=proposal.settled_block
    )
    if changed:
        outcome = "approved" if is_approved else "rejected"
        _record(proposal, plan, "plan", "training.plan.decide", digest=plan.digest, outcome=outcome, **_block(proposal))


@executes("release_model")
def decide_release(proposal: Proposal, is_approved: bool) -> None:
    """Ask the registry for the release that was decided; the model is released once the registry says so."""
    model = _model(proposal)
    if model is None:
        return
    outcome = "approved" if is_approved else "rejected"
    _record(proposal, model, "model", "model.release.decide", digest=model.digest, outcome=outcome, **_block(proposal))
    if is_approved:
        _ask(model, proposal, "release")
    else:
        Model.objects.filter(pk=model.pk, state__in=MODEL.sources(ModelState.REJECTED)).update(
            state=ModelState.REJECTED
        )


@executes("recall_model")
def decide_recall(proposal: Proposal, is_approved: bool) -> None:
    model = _model(proposal)
    if model is None:
        return
    outcome = "approved" if is_approved else "rejected"
    _record(proposal, model, "model", "model.recall.decide", digest=model.digest, outcome=outcome, **_block(proposal))
    if is_approved:
        _ask(model, proposal, "recall")


def _ask(model: Model, proposal: Proposal, function: str) -> None:
    outbox.enqueue(
        consortium_id=model.consortium_id,
        contract="ModelRegistry",
        function=function,
        arguments=[from_hex(proposal.subject, size_bytes=32), from_hex(proposal.chain_key, size_bytes=32)],
        idempotency_key=f"model:{model.pk}:{function}:{proposal.pk}",
    )


def _model(proposal: Proposal) -> Model | None:
    digest = bytes32_to_digest(from_hex(proposal.subject, size_bytes=32))
    return Model.objects.filter(consortium_id=proposal.consortium_id, digest=digest).first()


def _block(proposal: Proposal) -> dict[str, int]:
    return {} if proposal.settled_block is None else {"block": proposal.settled_block}


def _record(proposal: Proposal, row: Plan | Model, kind: str, action: str, /, **data: object) -> None:
    record_once(
        str(proposal.pk),
        action=action,
        consortium_id=row.consortium_id,
        actor=PROJECTOR,
        subject=Subject(kind, str(row.pk)),
        data=data,
    )
