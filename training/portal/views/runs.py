"""Pages about runs: all of them, one while it runs, and what its author's people order of it."""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from audit.acts import Subject
from consortium.kernel.errors import ConsiliumError
from training.domain.states import RUN
from training.models import Run, RunOrder
from training.portal import reads
from training.portal.doors import ROLES, act_as_person, has_role, own_id
from training.portal.progress import progress_of
from training.portal.views.rows import of_chosen, only
from training.services.runs import order_run

LONGEST_REASON = 500


@require_GET
@login_required
def runs(request: HttpRequest) -> HttpResponse:
    """Every run of the chosen consortium."""
    return render(request, "training/runs.html", {"runs": of_chosen(reads.runs(), request)})


@require_GET
@login_required
def run(request: HttpRequest, run: UUID) -> HttpResponse:
    """One run with its rounds; whole without script, and kept fresh with it."""
    return render(request, "training/run.html", _progress(request, _run(run)))


@require_GET
@never_cache
def run_progress(request: HttpRequest, run: UUID) -> HttpResponse:
    """The part of a run's page that changes; nothing (204) while it is as the page has seen it.

    Someone whose session has ended is led to the log-in by a reload of the page that asked.
    """
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    context = _progress(request, _run(run))
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "training/_progress.html", context)


@dataclass(frozen=True, slots=True)
class Words:
    """What a page of confirmation says."""

    title: str
    consequence: str
    button: str


@require_http_methods(["GET", "POST"])
@login_required
def run_order(request: HttpRequest, run: UUID, order: str) -> HttpResponse:
    """Confirm and give an order: pause, resume or cancel."""
    found = _run(run)
    if order not in RunOrder.Kind.values:
        raise Http404
    reason = request.POST.get("reason", "").strip()[:LONGEST_REASON]
    error = ""
    if request.method == "POST":
        try:
            _order(request, found, order, reason)
        except ConsiliumError as refusal:
            error = refusal.message
        else:
            messages.success(request, _("Ordered. The coordinator obeys where nothing is lost by it."))
            return redirect("run", found.pk)
    elif not may_order(request, found):
        raise PermissionDenied(_("Only scientists and administrators of the run's author give it orders."))
    context = {"run": found, "kind": order, "words": _words(order), "reason": reason, "error": error}
    return render(request, "training/run_order.html", context, status=409 if error else 200)


def may_order(request: HttpRequest, run: Run) -> bool:
    """Whether the reader is of the author's people and the run still goes on."""
    return has_role(request, *ROLES) and run.organization_id == own_id(request) and not RUN.is_terminal(run.state)


def _order(request: HttpRequest, run: Run, kind: str, reason: str) -> None:
    act_as_person(
        request,
        lambda organization, actor: order_run(
            run_id=run.pk, kind=kind, reason=reason, organization_id=organization, actor=actor
        ),
        roles=ROLES,
        action="training.run.change",
        subject=Subject("run", str(run.pk)),
        consortium_id=run.consortium_id,
    )


def _words(kind: str) -> Words:
    return {
        RunOrder.Kind.PAUSE: Words(
            _("Pause this run?"),
            _("The open round is brought to its end, then nothing more is asked of any site until you resume."),
            _("Pause the run"),
        ),
        RunOrder.Kind.RESUME: Words(
            _("Resume this run?"),
            _("The next round opens as soon as enough sites have committed to their consents anew."),
            _("Resume the run"),
        ),
        RunOrder.Kind.CANCEL: Words(
            _("Cancel this run?"),
            _(
                "It ends for good: the open attempt is given up, closed rounds stay on record, and no candidate is "
                "made. Your organization's agent then signs the end for the chain. It counts as a used run of its "
                "plan if a round was opened."
            ),
            _("Cancel the run"),
        ),
    }[RunOrder.Kind(kind)]


def _run(key: UUID) -> Run:
    return only(reads.runs().select_related("model"), key)


def _progress(request: HttpRequest, run: Run) -> dict[str, Any]:
    """The changing part as text, and the digest by which a page says that it has seen it."""
    context = progress_of(run, own_id(request)) | {"may_order": may_order(request, run)}
    body = render_to_string("training/_progress_body.html", context)
    seen = hashlib.sha256(body.encode()).hexdigest()[:16]
    return {"run": run, "is_live": context["is_live"], "body": body, "seen": seen}
