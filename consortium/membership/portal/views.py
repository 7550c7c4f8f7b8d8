"""Pages about the consortium and who belongs to it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from consortium.membership import selectors
from consortium.membership.middleware import SESSION_KEY


@require_GET
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """Where one lands: the consortia one belongs to and their members."""
    return render(request, "membership/overview.html", {"consortia": selectors.consortia_with_members()})


@require_POST
@login_required
def choose_organization(request: HttpRequest) -> HttpResponse:
    """Act for another of one's organizations; an unknown one changes nothing."""
    request.session[SESSION_KEY] = request.POST.get("organization", "")
    return redirect("overview")
