"""The way in by an invitation's link: the only pages beside the log-in that a stranger is shown."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from consortium.common.pages import is_tried_too_often, posted
from consortium.membership.models import Invitation, User
from consortium.membership.portal.forms import AcceptForm
from consortium.membership.services import invitations
from consortium.membership.services.invitations import InvitationClosedError, PersonNotNewError

SESSION_KEY = "invitation_digest"
BACKEND = "consortium.membership.backends.LookupBackend"
TRIES, SECONDS = 30, 600


@never_cache
@require_GET
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take a link's secret out of the address, where logs and other pages could see it, and go on without it."""
    # Always the same redirection: a refusal would be logged with its address, and so with the secret.
    if is_tried_too_often(request, "invitation", most=TRIES, seconds=SECONDS):
        return redirect("accept_invitation")
    request.session[SESSION_KEY] = invitations.digest_of_token(token)
    return redirect("accept_invitation")


@never_cache
@require_http_methods(["GET", "POST"])
def accept(request: HttpRequest) -> HttpResponse:
    """Come in: with a name and a new pass phrase, or as who one is logged in as."""
    if is_tried_too_often(request, "invitation", most=TRIES, seconds=SECONDS):
        return render(request, "membership/too_often.html", status=429)
    digest = request.session.get(SESSION_KEY, "")
    try:
        invitation = invitations.find_open(digest)
        return _accept_known(request, invitation) if request.user.is_authenticated else _accept_new(request, invitation)
    except InvitationClosedError:
        request.session.pop(SESSION_KEY, None)
        return render(request, "membership/invitation_closed.html", status=404)


def _accept_new(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = AcceptForm(posted(request), email=invitation.email, initial={"name": invitation.name})
    context = {"form": form, "invitation": invitation}
    if request.method != "POST" or not form.is_valid():
        return render(request, "membership/accept.html", context)
    try:
        user = invitations.accept_as_new(
            token_digest=invitation.token_digest,
            name=form.cleaned_data["name"],
            pass_phrase=form.cleaned_data["pass_phrase"],
        )
    except PersonNotNewError:
        # Whoever has the link is not told whether the address is taken; both ways on are named.
        return render(request, "membership/accept.html", context | {"is_not_new": True}, status=409)
    request.session.pop(SESSION_KEY, None)
    login(request, user, backend=BACKEND)
    return redirect("overview")


def _accept_known(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    user: User = request.user  # type: ignore[assignment]  # asked for somebody who is logged in
    is_theirs = user.email == invitation.email
    if request.method != "POST" or not is_theirs:
        context = {"invitation": invitation, "is_theirs": is_theirs}
        return render(request, "membership/accept_known.html", context, status=200 if is_theirs else 409)
    invitations.accept_as(token_digest=invitation.token_digest, user=user)
    request.session.pop(SESSION_KEY, None)
    return redirect("overview")
