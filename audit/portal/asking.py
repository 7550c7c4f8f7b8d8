"""Choosing a report and asking for it, beside the list of those that were made."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from audit.bundles.attempts import attempt_export
from audit.bundles.exporters import audited_by, has_role, is_auditor_of, own_bundles
from audit.bundles.orders import ModelChoiceError, require_open_to_auditors, usual_period
from audit.bundles.requests import bundles_that
from audit.compliance.periods import PeriodInvalidError
from audit.compliance.registry import UnknownReportError
from audit.models import Bundle
from audit.portal.doors import for_exporters, refusals_in_words
from audit.portal.orders import Filled
from audit.portal.reports import FRAMEWORKS, Framework, framework_named, report_label, rule_label
from consortium.kernel.errors import ConsiliumError
from consortium.membership.models import Consortium
from consortium.membership.portal.chosen import chosen_consortium, visible_consortia
from training import selectors as training

MOST_SHOWN = 50
# The badges know the states of a transaction; a bundle's look like them.
BADGES = {"requested": "recorded", "building": "submitted", "ready": "confirmed", "failed": "failed"}


@require_http_methods(["GET", "POST"])
def reports(request: HttpRequest) -> HttpResponse:
    """The frameworks to choose from and the reports that were made; a POST asks for one."""
    if request.method == "POST":
        return _ask(request)
    return _form(request) if request.GET.get("framework") else _list(request)


@for_exporters
def _list(request: HttpRequest) -> HttpResponse:
    """Everything to choose, and one's own earlier reports on the chosen consortium, by framework and state."""
    consortia = _consortia(request)
    names = {consortium.pk: consortium.name for consortium in consortia}
    report, state = request.GET.get("report", ""), request.GET.get("state", "")
    chosen, every = chosen_consortium(request), bundles_that(own_bundles(request))
    own = every.filter(consortium_id=chosen.pk) if chosen else every.none()
    found = own.filter(**{name: value for name, value in (("report", report), ("state", state)) if value})
    rows = list(found[: MOST_SHOWN + 1])
    context = {
        "frameworks": _offered(request),
        "members_own": () if has_role(request) else [one for one in FRAMEWORKS if one.report.is_of_member],
        "is_auditor": not has_role(request),
        "consortia": consortia,
        "rows": [_row(row, names) for row in rows[:MOST_SHOWN]],
        "is_cut": len(rows) > MOST_SHOWN,
        "most": MOST_SHOWN,
        "states": Bundle.State.choices,
        "chosen_report": report,
        "chosen_state": state,
        "is_narrowed": bool(report or state),
        "is_making": any(row.is_open for row in rows),
    }
    return render(request, "audit/reports.html", context)


@for_exporters
def _form(request: HttpRequest) -> HttpResponse:
    """The days, and the model where the report is about one."""
    framework = framework_named(request.GET["framework"])
    if framework is None:
        raise Http404
    consortia = _consortia(request)
    if not consortia:
        return redirect("reports")
    chosen = _chosen(request, consortia)
    if is_auditor_of(request, chosen.pk):
        require_open_to_auditors(framework.report)
    usual = usual_period(framework.report, chosen)
    filled = Filled(framework.name, chosen.pk, usual.since.isoformat(), usual.until.isoformat(), "")
    return render(request, "audit/report_form.html", _asked(framework, consortia, chosen, filled))


@refusals_in_words
def _ask(request: HttpRequest) -> HttpResponse:
    filled = Filled.read(request.POST)
    try:
        bundle = attempt_export(request, consortium_id=filled.consortium, order=filled.order())
    except (PeriodInvalidError, ModelChoiceError) as error:
        return _asked_again(request, filled, error)
    except UnknownReportError as error:
        raise Http404 from error
    return redirect("report", bundle=bundle.pk)


@for_exporters
def _asked_again(request: HttpRequest, filled: Filled, error: ConsiliumError) -> HttpResponse:
    """The form as it was filled, with what is wrong above the field that is."""
    framework = framework_named(filled.report)
    consortia = _consortia(request)
    chosen = next((one for one in consortia if one.pk == filled.consortium), None)
    if framework is None or chosen is None:
        raise Http404
    errors = {"period_error" if isinstance(error, PeriodInvalidError) else "model_error": error.message}
    context = {**_asked(framework, consortia, chosen, filled), **errors}
    return render(request, "audit/report_form.html", context, status=400)


def _asked(framework: Framework, consortia: list[Consortium], chosen: Consortium, filled: Filled) -> dict[str, Any]:
    models = training.models(chosen.pk).select_related("run__plan") if framework.needs_model else []
    return {
        "framework": framework,
        "consortia": consortia,
        "chosen": chosen,
        "filled": filled,
        "models": models,
        "usual": usual_period(framework.report, chosen),
    }


def _consortia(request: HttpRequest) -> list[Consortium]:
    """The consortia on whose logs the reader may report: all of a member's, and those audited."""
    found, audited = visible_consortia(request), audited_by(request)
    return found if has_role(request) else [one for one in found if one.pk in audited]


def _offered(request: HttpRequest) -> list[Framework]:
    """What the reader chooses among: an auditor gives no member's own account."""
    return [one for one in FRAMEWORKS if has_role(request) or not one.report.is_of_member]


def _chosen(request: HttpRequest, consortia: list[Consortium]) -> Consortium:
    """The consortium that the form names, else the one that the pages speak of, else the first."""
    spoken_of = chosen_consortium(request)
    for wanted in (request.GET.get("consortium", ""), str(spoken_of.pk) if spoken_of else ""):
        if (found := next((one for one in consortia if str(one.pk) == wanted), None)) is not None:
            return found
    return consortia[0]


def _row(bundle: Bundle, names: dict[UUID, str]) -> dict[str, Any]:
    return {
        "bundle": bundle,
        "consortium": names.get(bundle.consortium_id, ""),
        "label": report_label(bundle.report),
        "rule": rule_label(bundle.report),
        "badge": BADGES[bundle.state],
    }
