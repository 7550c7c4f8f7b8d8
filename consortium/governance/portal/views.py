"""Pages about what is put to the vote."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from consortium.governance import selectors
from consortium.governance.models import Proposal
from consortium.governance.portal.seats import headline


@require_GET
@login_required
def proposals(request: HttpRequest) -> HttpResponse:
    """Every proposal of one's consortia, the open ones first."""
    found = list(selectors.proposals())
    found.sort(key=lambda proposal: not proposal.is_open)
    return render(request, "governance/proposals.html", {"proposals": found})


@require_GET
@login_required
def proposal(request: HttpRequest, proposal: UUID) -> HttpResponse:
    """One proposal: its tally, what it changes, and how to vote."""
    try:
        found = selectors.proposals().get(pk=proposal)
    except Proposal.DoesNotExist:
        raise Http404 from None
    own = getattr(request, "organization", None)
    context = {"proposal": found, **headline(found, own and own.pk), "call": found.call or {}}
    return render(request, "governance/proposal.html", context)
