"""Pages about the consortium and who belongs to it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from consortium.membership import middleware
from consortium.membership.portal import chosen


@require_GET
@login_required
def more(request: HttpRequest) -> HttpResponse:
    """Every section, for a phone whose bar holds five places; also who one is here."""
    return render(request, "membership/more.html")


@require_POST
@login_required
def choose_consortium(request: HttpRequest) -> HttpResponse:
    """Let the pages speak of another of one's consortia, and go back to `next`; an unknown one changes nothing."""
    wanted = request.POST.get("consortium", "")
    if any(str(one.pk) == wanted for one in chosen.visible_consortia(request)):
        request.session[chosen.SESSION_KEY] = wanted
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if is_ours else "overview")


@require_POST
@login_required
def choose_organization(request: HttpRequest) -> HttpResponse:
    """Act for another of one's organizations; an unknown one changes nothing."""
    request.session[middleware.SESSION_KEY] = request.POST.get("organization", "")
    return redirect("overview")
