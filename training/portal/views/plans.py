"""Pages about plans: all of them, one with its vote, a new one with its preview, and a run of an approved one."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audit.acts import Subject
from consortium.governance.portal.seats import headline
from consortium.governance.selectors import proposals
from consortium.kernel.errors import ConsiliumError
from consortium.membership.selectors import member_page_of
from training.backends.known import BACKENDS
from training.domain.plan_document import PlanDocument
from training.domain.states import PlanState
from training.models import Plan, Run
from training.portal import reads
from training.portal.doors import ROLES, act_as_person, has_role, own_id
from training.portal.happenings import happenings_of
from training.portal.hues import Sites
from training.portal.planning.checks import common_checks, site_checks
from training.portal.planning.comparing import changes_between
from training.portal.views.rows import of_chosen, only
from training.portal.words import backend_in_words, plan_in_words
from training.services.plans import document_of
from training.services.runs import start_run


@require_GET
@login_required
def plans(request: HttpRequest) -> HttpResponse:
    """Every plan of the chosen consortium."""
    rows = of_chosen(reads.plans(), request)
    return render(request, "training/plans.html", {"plans": rows, "may_draft": has_role(request, *ROLES)})


@require_GET
@login_required
def plan(request: HttpRequest, plan: UUID) -> HttpResponse:
    """One plan: what it may do to whose data, in words, what each site checks, and where its vote stands."""
    found = only(reads.plans().select_related("copied_from"), plan)
    own, sites = own_id(request), Sites(found.consortium_id, own_id(request))
    context = {
        "plan": found,
        "words": plan_in_words(found),
        "runs": reads.runs().filter(plan=found),
        "may_start": may_start(request, found),
        "is_author": found.organization_id == own,
        "member_page": member_page_of(own, f"plans/{found.digest}") if own == found.organization_id else "",
        "may_draft": has_role(request, *ROLES),
        "log": happenings_of("plan", found.pk, found.consortium_id, sites),
        "steps": _steps(found),
        **_checks(found, sites, own),
        **_vote(found, own),
        **_differences(found, sites),
    }
    return render(request, "training/plan.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def run_new(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Confirm and start a run of an approved plan."""
    found = only(reads.plans(), plan)
    chosen = request.POST.get("backend", "substra")
    error = ""
    if request.method == "POST":
        try:
            run = _start(request, found, chosen)
        except ConsiliumError as refusal:
            error = refusal.message
        else:
            messages.success(request, _("Asked for. A coordinator takes the run up within a second or so."))
            return redirect("run", run.pk)
    elif not may_start(request, found):
        raise PermissionDenied(_("Only scientists and administrators of the author start runs, of an approved plan."))
    backends = [(name, *backend_in_words(name)) for name in sorted(BACKENDS, reverse=True)]
    context = {"plan": found, "backends": backends, "chosen": chosen, "error": error, "words": plan_in_words(found)}
    return render(request, "training/run_new.html", context, status=409 if error else 200)


def may_start(request: HttpRequest, plan: Plan) -> bool:
    """Whether the reader is of the author's people and the members have approved the plan."""
    is_theirs = plan.organization_id == own_id(request) and has_role(request, *ROLES)
    return is_theirs and plan.state == PlanState.APPROVED


def _start(request: HttpRequest, plan: Plan, backend: str) -> Run:
    return act_as_person(
        request,
        lambda organization, actor: start_run(
            plan_id=plan.pk, backend=backend, organization_id=organization, actor=actor
        ),
        roles=ROLES,
        action="training.run.create",
        subject=Subject("run", "new"),
        consortium_id=plan.consortium_id,
        data={"plan": plan.digest},
    )


def _document(plan: Plan) -> PlanDocument | None:
    try:
        return document_of(plan)
    except ConsiliumError:
        return None


def _checks(plan: Plan, sites: Sites, own: UUID | None) -> dict[str, Any]:
    document = _document(plan)
    if document is None:
        return {}
    return {
        "common_checks": common_checks(document, is_approved=plan.state == PlanState.APPROVED),
        "site_checks": site_checks(document, sites, own),
    }


def _vote(plan: Plan, own: UUID | None) -> dict[str, Any]:
    proposal = proposals().filter(pk=plan.proposal_id).first() if plan.proposal_id else None
    if proposal is None:
        return {"proposal": None}
    owners = set(proposal.owners)
    found = headline(proposal, own)
    return {"proposal": proposal, **found, "owners": [s for s in found["seats"] if str(s.organization_id) in owners]}


def _differences(plan: Plan, sites: Sites) -> dict[str, Any]:
    """What the plan changes of the one that its author began with."""
    before, after = plan.copied_from and _document(plan.copied_from), _document(plan)
    if not before or not after:
        return {"changes": None}
    names = {str(site.id): site.name for site in sites.members}
    return {"changes": changes_between(before, after, names)}


def _steps(plan: Plan) -> list[tuple[str, str, str]]:
    """The way of a plan: a label, done, now or empty, and a note."""
    is_proposed = plan.state != PlanState.DRAFT
    is_decided = plan.state in (PlanState.APPROVED, PlanState.REJECTED, PlanState.RETIRED)
    block = _("block %(n)s") % {"n": f"{plan.decided_block:,}"} if plan.decided_block else ""
    rejected = plan.state == PlanState.REJECTED
    decided = "stopped" if rejected else "done" if is_decided else "now" if is_proposed else ""
    return [
        (_("Drafted"), "done", ""),
        (_("Put to the vote"), "done" if is_proposed else "now", "" if is_proposed else _("its author's agent signs")),
        (_("Rejected") if rejected else _("Approved"), decided, block),
    ]
