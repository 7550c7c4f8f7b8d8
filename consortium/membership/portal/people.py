"""Pages of an organization's own people: who is in, with which roles, who was invited, who audits."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consortium.common.pages import posted, refuses_as_page
from consortium.kernel.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from consortium.membership import selectors
from consortium.membership.access import access_colleague, require_role
from consortium.membership.models import AuditorAppointment, MemberPage, Organization, RoleAssignment, User
from consortium.membership.portal.chosen import chosen_consortium
from consortium.membership.portal.forms import CountryForm, InviteAuditorForm, InviteForm, MemberPageForm, RolesForm
from consortium.membership.services import auditors, invitations, organizations, roles

ADMIN = RoleAssignment.Role.ADMIN.value
_INVITATIONS_SHOWN = 20


@require_GET
@login_required
def people(request: HttpRequest) -> HttpResponse:
    """The people of one's organization; administrators also see invitations and what they can change."""
    organization: Organization | None = getattr(request, "organization", None)
    consortium = chosen_consortium(request)
    context: dict[str, Any] = {
        "may_change": _is_administrator(request),
        "colleagues": selectors.colleagues(organization.pk) if organization else [],
        "auditors": _auditors(consortium.pk) if consortium else [],
    }
    if organization and context["may_change"]:
        context["invitations"] = selectors.invitations(organization.pk)[:_INVITATIONS_SHOWN]
        address = selectors.member_page_of(organization.pk)
        context["member_page_form"] = MemberPageForm(initial={"address": address})
        context["country_form"] = CountryForm(initial={"country": organization.country})
    return render(request, "membership/people.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
@refuses_as_page
def invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody to the organization; the link is shown in this answer alone."""
    organization = require_role(request, ADMIN)
    form = InviteForm(posted(request))
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("email", "name", "roles")}
        made, token = invitations.invite(organization=organization, acting_user=_user(request), **given)
        return _show_link(request, made, token)
    return render(request, "membership/invite.html", {"form": form})


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
@refuses_as_page
def invite_auditor(request: HttpRequest) -> HttpResponse:
    """Invite an auditor of the chosen consortium."""
    organization = require_role(request, ADMIN)
    consortium = chosen_consortium(request)
    if consortium is None:
        raise NotFoundError(_("Your organization belongs to no consortium yet."))
    form = InviteAuditorForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            made, token = invitations.invite_auditor(
                organization=organization,
                consortium=consortium,
                email=form.cleaned_data["email"],
                name=form.cleaned_data["name"],
                until=form.until_end_of_day(),
                acting_user=_user(request),
            )
        except InvalidInputError as error:
            form.add_error("until", error.message)
        else:
            return _show_link(request, made, token)
    return render(request, "membership/invite_auditor.html", {"form": form})


@require_http_methods(["GET", "POST"])
@login_required
@refuses_as_page
def person(request: HttpRequest, person: UUID) -> HttpResponse:
    """One person of the organization: their roles, to change; deactivating them."""
    organization = _changed_by_administrators(request, person)
    found = access_colleague(person, organization_id=organization.pk)
    held = list(RoleAssignment.objects.filter(user=found, organization=organization).order_by("role"))
    form = RolesForm(posted(request), initial={"roles": [role.role for role in held]})
    if request.method == "POST" and form.is_valid():
        try:
            chosen = form.cleaned_data["roles"]
            roles.change_roles(person_id=person, roles=chosen, organization=organization, acting_user=_user(request))
        except ConflictError as error:
            form.add_error("roles", error.message)
        else:
            messages.success(request, _("The roles of %(name)s were changed.") % {"name": found.name})
            return redirect("people")
    context = {"person_shown": found, "held": held, "form": form, "is_suspended": any(r.suspended_at for r in held)}
    return render(request, "membership/person.html", context)


@require_POST
@login_required
@refuses_as_page
def deactivate(request: HttpRequest, person: UUID) -> HttpResponse:
    """Shut a person out of the organization."""
    organization = _changed_by_administrators(request, person)
    try:
        found = roles.deactivate(person_id=person, organization=organization, acting_user=_user(request))
    except ConflictError as error:
        messages.error(request, error.message)
        return redirect("person", person)
    messages.success(request, _("%(name)s is deactivated. Sessions end with their next step.") % {"name": found.name})
    return redirect("people")


@require_POST
@login_required
@refuses_as_page
def reactivate(request: HttpRequest, person: UUID) -> HttpResponse:
    """Let a person in again."""
    organization = _changed_by_administrators(request, person)
    found = roles.reactivate(person_id=person, organization=organization, acting_user=_user(request))
    messages.success(request, _("%(name)s can log in again, with the roles of before.") % {"name": found.name})
    return redirect("people")


@require_POST
@login_required
@refuses_as_page
def revoke(request: HttpRequest, invitation: UUID) -> HttpResponse:
    """Take an invitation back."""
    organization = require_role(request, ADMIN)
    try:
        invitations.revoke(invitation_id=invitation, organization=organization, acting_user=_user(request))
    except ConflictError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The invitation is taken back. Its link leads nowhere any more."))
    return redirect("people")


@require_POST
@login_required
@refuses_as_page
def end_appointment(request: HttpRequest, appointment: UUID) -> HttpResponse:
    """End an auditor's appointment that the organization made."""
    organization = require_role(request, ADMIN)
    auditors.end_appointment(appointment_id=appointment, organization=organization, acting_user=_user(request))
    messages.success(request, _("The appointment has ended. The auditor reads nothing of the consortium any more."))
    return redirect("people")


@require_POST
@login_required
@refuses_as_page
def member_page(request: HttpRequest) -> HttpResponse:
    """Say where the organization's own people find their member page."""
    organization = require_role(request, ADMIN)
    form = MemberPageForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("That is no web address. Nothing was kept; it begins with https:// or http://."))
    elif address := form.cleaned_data["address"]:
        MemberPage.objects.update_or_create(organization=organization, defaults={"address": address})
        messages.success(request, _("Your people now find a button to the member page on each open proposal."))
    else:
        MemberPage.objects.filter(organization=organization).delete()
        messages.success(request, _("The address is taken away."))
    return redirect("people")


@require_POST
@login_required
@refuses_as_page
def country(request: HttpRequest) -> HttpResponse:
    """Say in which country the organization is."""
    organization = require_role(request, ADMIN)
    given = request.POST.get("country", "")
    try:
        kept = organizations.set_country(organization=organization, country=given, acting_user=_user(request))
    except (InvalidInputError, ConflictError) as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Your organization is on record in %(country)s.") % {"country": kept.country})
    return redirect("people")


def _show_link(request: HttpRequest, invitation: Any, token: str) -> HttpResponse:
    link = request.build_absolute_uri(reverse("open_invitation", args=[token]))
    return render(request, "membership/invited.html", {"invitation": invitation, "link": link})


def _auditors(consortium_id: UUID) -> list[AuditorAppointment]:
    return list(selectors.current_appointments().filter(consortium_id=consortium_id).select_related("organization"))


def _is_administrator(request: HttpRequest) -> bool:
    return ADMIN in getattr(request, "roles", frozenset())


def _changed_by_administrators(request: HttpRequest, person_id: UUID) -> Organization:
    """The organization, if the person is of it (else 404) and the asker administers it (else 403)."""
    organization: Organization | None = getattr(request, "organization", None)
    if organization is None:
        raise NotFoundError(_("There is no such person in your organization."))
    access_colleague(person_id, organization_id=organization.pk)
    if not _is_administrator(request):
        raise ForbiddenError(_("Only administrators change people and roles. Ask one of your organization."))
    return organization


def _user(request: HttpRequest) -> User:
    user: User = request.user  # type: ignore[assignment]  # pages are for who is logged in
    return user
