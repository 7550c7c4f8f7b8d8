"""Pages about who belongs to the consortium, and how to apply."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audit.acts import Actor
from consortium.common.pages import posted, refuses_as_page
from consortium.common.parts import ProofMark
from consortium.kernel.errors import ConflictError, NotFoundError
from consortium.membership import selectors
from consortium.membership.access import require_role
from consortium.membership.models import Membership, Organization, OrganizationKey, RoleAssignment, SitePresence, User
from consortium.membership.portal.chosen import chosen_consortium
from consortium.membership.portal.forms import ApplyForm
from consortium.membership.services.applications import KeyAddresses
from consortium.membership.services.applications import apply as apply_for
from contracts.network.errors import EnodeError

ADMIN = RoleAssignment.Role.ADMIN.value
KEY_FIELDS = ("vote_key", "site_key", "validator", "enode")


@dataclass(frozen=True)
class MemberRow:
    """A membership as its row shows it."""

    membership: Membership
    keys: tuple[OrganizationKey, ...]
    replaced: tuple[OrganizationKey, ...] = ()

    @property
    def proof(self) -> ProofMark | None:
        if self.membership.confirmed_block is None:
            return None
        return ProofMark.of(self.membership, _("The consortium, by vote or at its founding"), self.membership.joined_at)


@require_GET
@login_required
def members(request: HttpRequest) -> HttpResponse:
    """The members of the chosen consortium and who wants to become one."""
    consortium = chosen_consortium(request)
    own: Organization | None = getattr(request, "organization", None)
    rows = member_rows(consortium.pk) if consortium else []
    context = {
        "rows": [row for row in rows if row.membership.status != Membership.Status.APPLICANT],
        "applicants": [row for row in rows if row.membership.status == Membership.Status.APPLICANT],
        "presence": SitePresence.objects.filter(organization=own).first() if own else None,
        "member_page": selectors.member_page_of(own.pk) if own else "",
        "own_memberships": _own(own) if own else [],
        "may_apply": ADMIN in getattr(request, "roles", frozenset()),
    }
    return render(request, "membership/members.html", context)


@require_http_methods(["GET", "POST"])
@login_required
@refuses_as_page
def apply(request: HttpRequest) -> HttpResponse:
    """Apply to a consortium in the organization's name."""
    organization = require_role(request, ADMIN)
    form = ApplyForm(posted(request))
    if request.method == "POST" and form.is_valid():
        user: User = request.user  # type: ignore[assignment]  # pages are for who is logged in
        try:
            apply_for(
                consortium_slug=form.cleaned_data["consortium"],
                organization=organization,
                keys=KeyAddresses(*(form.cleaned_data[name] for name in KEY_FIELDS)),
                actor=Actor.person(user.pk, organization.pk),
            )
        except EnodeError as error:
            form.add_error("enode", error.message)
        except (ConflictError, NotFoundError) as error:
            form.add_error("consortium", error.message)
        else:
            messages.success(request, _("The application is recorded. A member now proposes your admission."))
            return redirect("members")
    return render(request, "membership/apply.html", {"form": form, "own_memberships": _own(organization)})


def member_rows(consortium_id: UUID) -> list[MemberRow]:
    """Every membership of a consortium with its keys, present and replaced, in the order of joining."""
    found = Membership.objects.filter(consortium_id=consortium_id).select_related("organization")
    keys: dict[UUID, list[OrganizationKey]] = {}
    for key in OrganizationKey.objects.filter(membership__in=found).order_by("purpose", "valid_from_block"):
        keys.setdefault(key.membership_id, []).append(key)
    rows = [_row(membership, keys.get(membership.pk, [])) for membership in found]
    return sorted(
        rows, key=lambda row: (row.membership.joined_at is None, row.membership.joined_at or row.membership.created_at)
    )


def _row(membership: Membership, keys: list[OrganizationKey]) -> MemberRow:
    present = tuple(key for key in keys if key.retired_at_block is None)
    return MemberRow(membership, present, tuple(key for key in keys if key.retired_at_block is not None))


def _own(organization: Organization) -> list[Membership]:
    found = Membership.objects.filter(organization=organization).select_related("consortium")
    return list(found.order_by("-created_at"))
