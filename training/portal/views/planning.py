"""The page on which a plan is made: the form, its preview, and the draft that is kept."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audit.acts import Subject
from consent.domain.purposes import DISEASE_RESEARCH, HEALTH_RESEARCH
from consortium.kernel.canonical import canonical_json
from consortium.kernel.errors import ConsiliumError
from consortium.membership.models import Consortium
from consortium.membership.portal.chosen import chosen_consortium
from training.domain.plan_document import PlanDocument
from training.models import Plan
from training.portal import reads
from training.portal.doors import ROLES, act_as_person, has_role, own_id
from training.portal.hues import Sites
from training.portal.planning.bound import explain_entries
from training.portal.planning.checks import common_checks, site_checks
from training.portal.planning.comparing import changes_between
from training.portal.planning.document import document_of_form
from training.portal.planning.entries import entries_of, suggested_entries
from training.portal.planning.form import PlanForm
from training.portal.planning.kinds import KINDS
from training.portal.planning.numbers import GROUPS
from training.portal.planning.offers import Offer, offers_of
from training.portal.views.rows import only
from training.portal.words import document_in_words, measuring_in_words
from training.services.plans import document_of, draft_plan

Entries = QueryDict


@require_http_methods(["GET", "POST"])
@login_required
def plan_new(request: HttpRequest) -> HttpResponse:
    """Make a plan: GET suggests one, or copies `?from=`; POST previews it, or keeps exactly what was previewed."""
    if not has_role(request, *ROLES):
        raise PermissionDenied(_("Scientists and administrators draft plans. Ask one of your organization."))
    source = _source(request)
    # A copy is of its plan's consortium, whichever the lists speak of.
    consortium = source.consortium if source else chosen_consortium(request)
    if consortium is None:
        return render(request, "training/plan_new.html", {"form": None})
    sites = Sites(consortium.pk, own_id(request))
    entries = request.POST if request.method == "POST" else None
    offers = _offers(consortium, sites, entries, source)
    form = _form(entries or _first_entries(offers, sites, source), offers, sites)
    wanted = request.POST.get("do", "")
    document = document_of_form(form, consortium.pk) if wanted in {"preview", "save"} else None
    if document and wanted == "save" and request.POST.get("previewed") == document.digest():
        try:
            return _keep(request, document, source)
        except ConsiliumError as refusal:
            form.add_error(None, refusal.message)
    lost = _lost(form, consortium, source, sites) if source and request.method == "GET" else {}
    if not wanted or wanted == "columns":
        # Nobody has asked yet whether it is complete.
        form.errors.clear()
    context = _page(form, source) | _preview(document, sites, own_id(request))
    context["is_asked"] = wanted in {"preview", "save"}
    context |= lost
    return render(request, "training/plan_new.html", context, status=422 if form.errors and wanted else 200)


@require_GET
@login_required
def plan_json(request: HttpRequest, plan: UUID) -> HttpResponse:
    """A plan's document, the bytes that its digest is of."""
    found = only(reads.plans(), plan)
    response = HttpResponse(document_of(found).to_bytes(), content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="plan-{found.pk}.json"'
    return response


def _source(request: HttpRequest) -> Plan | None:
    """The plan that is copied, if any; 404 for one that the reader may not see."""
    wanted = request.POST.get("from") or request.GET.get("from", "")
    try:
        key = UUID(wanted)
    except ValueError:
        return None
    return only(reads.plans(), key)


def _offers(consortium: Consortium, sites: Sites, entries: Entries | None, source: Plan | None) -> list[Offer]:
    purpose, conditions = HEALTH_RESEARCH, list[str]()
    if entries is not None:
        purpose, conditions = _asked_purpose(entries), entries.getlist("conditions")
    elif source is not None:
        document = document_of(source)
        purpose, conditions = document.purpose, list(document.conditions)
    try:
        return offers_of(consortium.pk, sites, purpose, conditions)
    except ConsiliumError:
        # The form names what is wrong with the purpose; what members offer is shown for the commonest one.
        return offers_of(consortium.pk, sites, HEALTH_RESEARCH, [])


def _asked_purpose(entries: Entries) -> str:
    purpose = entries.get("purpose", "")
    return f"{purpose}[{entries.get('disease', '').strip()}]" if purpose == DISEASE_RESEARCH else purpose


def _first_entries(offers: list[Offer], sites: Sites, source: Plan | None) -> Entries:
    if source is not None:
        return entries_of(document_of(source), offers)
    return suggested_entries(offers, [str(site.id) for site in sites.members if site.id in sites.active])


def _form(entries: Mapping[str, Any], offers: list[Offer], sites: Sites) -> PlanForm:
    return PlanForm(entries, offers=offers, recipients=[s for s in sites.members if s.id in sites.active])


def _page(form: PlanForm, source: Plan | None) -> dict[str, Any]:
    bounds = ("minimum_sites", "threshold", "colluders", "verifier_quorum")
    used = set(form.listed("features"))
    sites = max(2, len(form.chosen))
    return {
        "form": form,
        "source": source,
        "offers": form.offers,
        "chosen_keys": {offer.key for offer in form.chosen},
        "columns": [(column, KINDS[column.kind], form.asks_of(column), column.name in used) for column in form.columns],
        "target": form.target_column,
        "groups": {name: form.numbers_of(numbers) for name, numbers in GROUPS.items()},
        "bound": explain_entries({name: str(form.data.get(name, "")) for name in bounds}, sites),
        "measuring": measuring_in_words(form.measured, sites),
    }


def _lost(form: PlanForm, consortium: Consortium, source: Plan, sites: Sites) -> dict[str, Any]:
    """What of a plan its copy cannot begin with: where members offer something else by now, or the release is newer."""
    document = document_of_form(form, consortium.pk)
    unfit = [str(field.label) for field in form if field.errors]
    names = {str(site.id): site.name for site in sites.members}
    changes = changes_between(document_of(source), document, names) if document else []
    return {"unfit": unfit, "lost": changes}


def _preview(document: PlanDocument | None, sites: Sites, own: UUID | None) -> dict[str, Any]:
    if document is None:
        return {"document": None}
    return {
        "document": document,
        "words": document_in_words(document),
        "digest": document.digest(),
        "text": canonical_json(document.to_json()).decode(),
        "common_checks": common_checks(document, is_approved=False),
        "site_checks": site_checks(document, sites, own),
    }


def _keep(request: HttpRequest, document: PlanDocument, source: Plan | None) -> HttpResponse:
    plan = act_as_person(
        request,
        lambda organization, actor: draft_plan(
            consortium_id=document.consortium,
            document=document.to_json(),
            organization_id=organization,
            actor=actor,
            copied_from=source,
        ),
        roles=ROLES,
        action="training.plan.draft",
        subject=Subject("plan", "draft"),
        consortium_id=document.consortium,
    )
    messages.success(request, _("The draft is kept. Your organization's agent can propose it now."))
    return redirect("plan", plan.pk)
