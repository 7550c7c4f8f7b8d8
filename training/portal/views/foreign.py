"""Pages about models of other consortia: what was proven here, of which peer, and one model with its proofs."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from consortium.membership.portal.chosen import chosen_consortium
from training.models import ForeignModel
from training.portal import foreign
from training.portal.doors import own_id
from training.portal.happenings import happenings_of
from training.portal.hues import Sites
from training.portal.views.rows import of_chosen, only


@require_GET
@login_required
def foreign_models(request: HttpRequest) -> HttpResponse:
    """What other consortia's chains have proven to the chosen consortium."""
    rows = of_chosen(foreign.foreign_models(), request)
    consortium = chosen_consortium(request)
    context = {
        "models": rows[: foreign.MOST],
        "count": rows.count(),
        "most": foreign.MOST,
        "lines": foreign.peer_lines(of_chosen(foreign.peers(), request), rows),
        "refused": foreign.refused_deliveries(consortium),
    }
    return render(request, "training/foreign/models.html", context)


@require_GET
@login_required
def foreign_model(request: HttpRequest, foreign_model: UUID) -> HttpResponse:
    """One model of another consortium: what its chain said, how that was proven, and what that means here."""
    found = only(foreign.foreign_models().prefetch_related("statements"), foreign_model)
    return render(request, "training/foreign/model.html", _page(request, found))


def _page(request: HttpRequest, model: ForeignModel) -> dict[str, Any]:
    sites = Sites(model.consortium_id, own_id(request))
    return {
        "model": model,
        "peer": model.peer,
        "steps": foreign.steps_of(model),
        "decisions": foreign.decisions_of(model),
        "known_up_to": foreign.known_up_to(model),
        "votes": foreign.votes_on(model.peer),
        "log": happenings_of("foreign_model", model.pk, model.consortium_id, sites),
    }
