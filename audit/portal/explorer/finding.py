"""Following a digest, and searching for one or for words."""

from collections.abc import Iterable

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from audit.portal.explorer.readers import may_read
from audit.portal.explorer.targets import Target, targets_of, wanted
from consortium.governance.models import Proposal
from training.models import Model, Plan, Run

LONGEST = 200
_MOST_BY_WORDS = 20


@require_GET
@login_required
def follow(request: HttpRequest, digest: str) -> HttpResponse:
    """Lead to what a digest, hash, address or id names; a list if several do, the reason if nothing does."""
    found = targets_of(wanted(digest[:LONGEST], reads_records=may_read(request)))
    if len(found) == 1 and found[0].url:
        return redirect(found[0].url)
    context = {"asked": digest[:LONGEST], "targets": found}
    return render(request, "audit/explorer/follow.html", context, status=200 if found else 404)


@require_GET
@login_required
def search(request: HttpRequest) -> HttpResponse:
    """Find a digest, an id, or words in the titles of plans, runs, models and proposals."""
    asked = request.GET.get("q", "").strip()[:LONGEST]
    by_name = targets_of(wanted(asked, reads_records=may_read(request))) if asked else []
    if len(by_name) == 1 and by_name[0].url:
        return redirect(by_name[0].url)
    found = by_name or list(_by_words(asked)) if asked else []
    return render(request, "audit/explorer/search.html", {"asked": asked, "targets": found})


def _by_words(text: str) -> Iterable[Target]:
    for plan in Plan.objects.filter(title__icontains=text).order_by("-created_at")[:_MOST_BY_WORDS]:
        yield Target(_("Plan"), plan.title, reverse("plan", args=[plan.pk]))
    for run in Run.objects.filter(plan__title__icontains=text).select_related("plan")[:_MOST_BY_WORDS]:
        yield Target(_("Run"), f"{run.plan}, {run.get_state_display()}", reverse("run", args=[run.pk]))
    for model in Model.objects.filter(run__plan__title__icontains=text).select_related("run__plan")[:_MOST_BY_WORDS]:
        yield Target(_("Model"), f"{model.run.plan}, {model.get_state_display()}", reverse("model", args=[model.pk]))
    for proposal in Proposal.objects.filter(description__icontains=text).order_by("-created_at")[:_MOST_BY_WORDS]:
        yield Target(_("Proposal"), proposal.description, reverse("proposal", args=[proposal.pk]))
