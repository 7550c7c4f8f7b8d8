"""Pages about plans, runs and models."""

import hashlib
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Model as Row
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseClientRefresh

from training.domain.states import RUN
from training.models import Run
from training.portal import reads
from training.portal.progress import progress_of
from training.portal.words import backend_in_words, card_in_words, plan_in_words

R = TypeVar("R", bound=Row)


@require_GET
@login_required
def plans(request: HttpRequest) -> HttpResponse:
    """Every plan of one's consortia."""
    return render(request, "training/plans.html", {"plans": reads.plans()})


@require_GET
@login_required
def plan(request: HttpRequest, plan: UUID) -> HttpResponse:
    """One plan: what it may do to whose data, in words, and where its vote stands."""
    found = _only(reads.plans(), plan)
    context = {"plan": found, "words": plan_in_words(found), "runs": reads.runs().filter(plan=found)}
    return render(request, "training/plan.html", context)


@require_GET
@login_required
def runs(request: HttpRequest) -> HttpResponse:
    """Every run of one's consortia."""
    return render(request, "training/runs.html", {"runs": reads.runs()})


@require_GET
@login_required
def run(request: HttpRequest, run: UUID) -> HttpResponse:
    """One run with its rounds; whole without script, and kept fresh with it."""
    found = _only(reads.runs().select_related("model"), run)
    return render(request, "training/run.html", {"run": found, **_progress(found)})


@require_GET
@never_cache
def run_progress(request: HttpRequest, run: UUID) -> HttpResponse:
    """The part of a run's page that changes; nothing (204) while it is as the page has seen it.

    Someone whose session has ended is led to the log-in by a reload of the page that asked.
    """
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    context = _progress(_only(reads.runs().select_related("model"), run))
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "training/_progress.html", context)


@require_GET
@login_required
def models(request: HttpRequest) -> HttpResponse:
    """Every model of one's consortia."""
    return render(request, "training/models.html", {"models": reads.models()})


@require_GET
@login_required
def model(request: HttpRequest, model: UUID) -> HttpResponse:
    """One model: whether it may serve, its card, and what it came from."""
    found = _only(reads.models(), model)
    return render(request, "training/model.html", {"model": found, "words": card_in_words(found)})


def _progress(run: Run) -> dict[str, Any]:
    """The changing part as text, and the digest by which a page says that it has seen it."""
    is_live = not RUN.is_terminal(run.state)
    context = {"run": run, "is_live": is_live, "backend": backend_in_words(run.backend), **progress_of(run)}
    body = render_to_string("training/_progress_body.html", context)
    seen = hashlib.sha256(body.encode()).hexdigest()[:16]
    return {"run": run, "is_live": is_live, "body": body, "seen": seen}


def _only(rows: QuerySet[R], key: UUID) -> R:
    found = rows.filter(pk=key).first()
    if found is None:
        raise Http404
    return found
