"""Pages about consents: numbers, imports, withdrawals."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audit.acts import Actor
from consent import selectors
from consent.access import access_batch, access_withdrawal
from consent.api.views import READERS, WITHDRAWERS
from consent.models import ConsentBatch
from consent.portal import reads
from consent.portal.forms import WithdrawForm
from consent.services.withdrawals import withdraw
from consortium.common.pages import posted, refuses_as_page
from consortium.kernel.errors import ConflictError, ForbiddenError, NotFoundError
from consortium.membership.access import require_role
from consortium.membership.models import Organization, User
from consortium.membership.portal.chosen import chosen_consortium

_SHOWN = 10
_ADVICE = {
    "batch_refused": "Mend these lines at the source, or leave them out, and import the file again at your agent.",
    "invalid_signature": "The batch was not signed by your present site key. Did a key change? Then import again.",
}


@require_GET
@login_required
def consents(request: HttpRequest) -> HttpResponse:
    """A consortium's consents in numbers: one's own exactly for who may read them, the others' as bands."""
    organization: Organization | None = getattr(request, "organization", None)
    consortium = chosen_consortium(request)
    roles: frozenset[str] = getattr(request, "roles", frozenset())
    context: dict[str, Any] = {
        "may_read": organization is not None and bool(roles.intersection(READERS)),
        "may_withdraw": organization is not None and bool(roles.intersection(WITHDRAWERS)),
    }
    if consortium is not None:
        context |= {"epochs": reads.newest_epochs(consortium), "calendar": reads.calendar(consortium)}
    if organization is not None and consortium is not None and context["may_read"]:
        owner = {"consortium_id": consortium.pk, "organization_id": organization.pk}
        numbers = selectors.grant_numbers(**owner)
        context |= {
            "subjects": selectors.subject_count(**owner),
            "permitting": numbers["permitting_subjects"],
            "states": reads.states(numbers),
            "purposes": reads.by_purpose(**owner),
            "imports": selectors.imports(organization.pk).filter(consortium=consortium)[:_SHOWN],
            "withdrawals": selectors.withdrawals(organization.pk)[:_SHOWN],
        }
    return render(request, "consent/consents.html", context)


@require_GET
@login_required
@refuses_as_page
def import_page(request: HttpRequest, batch: UUID) -> HttpResponse:
    """One import and what was wrong with it, as far as the platform knows."""
    organization = _reading(request)
    found = access_batch(batch, organization_id=organization.pk)
    _require_reader(request)
    advice = _(_ADVICE.get(found.error_code, "Import the file again at your agent, which says what was wrong."))
    is_accepted = found.state == ConsentBatch.State.ACCEPTED
    return render(request, "consent/import.html", {"batch": found, "advice": advice, "is_accepted": is_accepted})


@require_GET
@login_required
@refuses_as_page
def withdrawal_page(request: HttpRequest, withdrawal: UUID) -> HttpResponse:
    """One withdrawal and how far it has come."""
    organization = _reading(request)
    found = access_withdrawal(withdrawal, organization_id=organization.pk)
    _require_reader(request)
    effects = found.effects.select_related("consortium")
    context = {"withdrawal": found, "steps": reads.steps_of(found), "effects": effects}
    return render(request, "consent/withdrawal.html", context)


@require_http_methods(["GET", "POST"])
@login_required
@refuses_as_page
def withdraw_consent(request: HttpRequest) -> HttpResponse:
    """Record a withdrawal: first what it will do, then, confirmed, it is done."""
    organization = require_role(request, *WITHDRAWERS)
    form = WithdrawForm(posted(request))
    if request.method != "POST" or not form.is_valid():
        return render(request, "consent/withdraw.html", {"form": form})
    if request.POST.get("confirmed") != "yes":
        reason = dict(form.fields["reason"].choices)[form.cleaned_data["reason"]]  # type: ignore[attr-defined]  # a choice
        return render(request, "consent/withdraw_confirm.html", {"form": form, "reason": reason})
    user: User = request.user  # type: ignore[assignment]  # pages are for who is logged in
    try:
        made = withdraw(
            organization_id=organization.pk,
            pseudonym=form.cleaned_data["pseudonym"],
            reason=form.cleaned_data["reason"],
            actor=Actor.person(user.pk, organization.pk),
        )
    except (ConflictError, NotFoundError) as error:
        form.add_error("pseudonym", error.message)
        return render(request, "consent/withdraw.html", {"form": form})
    messages.success(request, _("The withdrawal is recorded. Your agent takes it in within seconds."))
    return redirect("withdrawal", made.pk)


def _reading(request: HttpRequest) -> Organization:
    organization: Organization | None = getattr(request, "organization", None)
    if organization is None:
        raise NotFoundError(_("There is no such thing in your organization."))
    return organization


def _require_reader(request: HttpRequest) -> None:
    """Hold the page to the roles that read exact numbers, once the row is known to be one's own."""
    if not getattr(request, "roles", frozenset()).intersection(READERS):
        raise ForbiddenError(_("Stewards, administrators and compliance officers read this. Ask one of them."))
