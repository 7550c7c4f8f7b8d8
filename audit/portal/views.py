"""One page: evidence bundles to ask for, to follow and to download."""

import json
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audit.bundles.attempts import EXPORTERS, acting_organization, attempt_export
from audit.bundles.downloads import download
from audit.bundles.orders import Order
from audit.bundles.requests import access_bundle, bundles_of, content_of
from audit.bundles.trust import export_trust
from audit.compliance.registry import DEFAULT
from audit.portal.reports import report_choices, report_label
from consortium.kernel.errors import ConsiliumError, ForbiddenError, NotFoundError
from consortium.membership.access import access_consortium, require_role
from consortium.membership.selectors import consortia_with_members

MOST_SHOWN = 50
# The badges know the states of a transaction; a bundle's look like them.
_BADGES = {"requested": "recorded", "building": "submitted", "ready": "confirmed", "failed": "failed"}


@require_http_methods(["GET", "POST"])
@login_required
def bundles(request: HttpRequest) -> HttpResponse:
    """The organization's bundles, newest first; a POST asks for another."""
    if request.method == "POST":
        return _ask(request)
    may_export = bool(set(EXPORTERS) & getattr(request, "roles", frozenset()))
    rows = list(bundles_of(acting_organization(request).pk)[:MOST_SHOWN]) if may_export else []
    consortia = list(consortia_with_members())
    names = {consortium.pk: consortium.name for consortium in consortia}
    context = {
        "rows": [(row, names.get(row.consortium_id, ""), report_label(row.report), _BADGES[row.state]) for row in rows],
        "is_making": any(row.is_open for row in rows),
        "consortia": consortia,
        "reports": report_choices(),
        "chosen_report": DEFAULT,
        "may_export": may_export,
    }
    return render(request, "audit/bundles.html", context)


@require_GET
@login_required
def bundle_file(request: HttpRequest, bundle: UUID) -> HttpResponse:
    """A finished bundle as a file."""
    try:
        found = access_bundle(bundle)
        require_role(request, *EXPORTERS)
        return download(content_of(found), name=f"consilium-{found.pk}.zip", content_type="application/zip")
    except ConsiliumError as error:
        return _refused(request, error)


@require_GET
@login_required
def trust_file(request: HttpRequest, consortium: UUID) -> HttpResponse:
    """The trust file as this deployment knows it, to compare with another member's."""
    try:
        access_consortium(consortium)
        require_role(request, *EXPORTERS)
        content = json.dumps(export_trust(consortium), indent=2, ensure_ascii=False) + "\n"
    except ConsiliumError as error:
        return _refused(request, error)
    return download(content.encode(), name=f"trust-{consortium}.json", content_type="application/json")


def _ask(request: HttpRequest) -> HttpResponse:
    try:
        consortium = UUID(request.POST.get("consortium", ""))
    except ValueError:
        raise Http404 from None
    try:
        attempt_export(request, consortium_id=consortium, order=Order(request.POST.get("report", "")))
    except ConsiliumError as error:
        return _refused(request, error)
    messages.success(request, _("The bundle is being made. This page follows it."))
    return redirect("bundles")


def _refused(request: HttpRequest, error: ConsiliumError) -> HttpResponse:
    """Answer as the API does: 404 for what is not visible, 403 for a role, else the reason on the page."""
    if isinstance(error, NotFoundError):
        raise Http404 from error
    if isinstance(error, ForbiddenError):
        raise PermissionDenied(error.message) from error
    messages.error(request, error.message)
    return redirect("bundles")
