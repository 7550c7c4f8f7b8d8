"""One report: while it is made, when it could not be, and as it reads, with what proves it."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseClientRefresh

from audit.bundles.exporters import require_reader
from audit.bundles.requests import access_bundle
from audit.compliance.documents import Answer
from audit.compliance.reading import Section, numbers_in, sections_of
from audit.models import Bundle
from audit.portal.asking import BADGES
from audit.portal.doors import for_exporters, refusals_in_words
from audit.portal.proof import proof_of
from audit.portal.reports import report_label, rule_label
from consortium.membership.access import access_consortium

# Steps as people see them; the two of a bundle's that read records are one to them.
_STEPS = (Bundle.Step.WAITING, Bundle.Step.SELECTING, Bundle.Step.REPORTING, Bundle.Step.ASSEMBLING)
_SHOWN = {"person": (Answer.PERSON,), "open": (Answer.PERSON, Answer.NOTHING)}


@require_GET
@for_exporters
def bundles(request: HttpRequest) -> HttpResponse:
    """The evidence's former page: bundles stand among the reports that they hold."""
    return redirect("reports")


@require_GET
@refusals_in_words
def report(request: HttpRequest, bundle: UUID) -> HttpResponse:
    """The report, or how far it has come."""
    found = require_reader(request, access_bundle(bundle))
    context = _head(found)
    if found.state == Bundle.State.READY:
        return render(request, "audit/report_page.html", {**context, **_document(request, found)})
    if found.state == Bundle.State.FAILED:
        return render(request, "audit/report_failed.html", context)
    return render(request, "audit/report_making.html", {**context, **_progress(found)})


@require_GET
@never_cache
def report_progress(request: HttpRequest, bundle: UUID) -> HttpResponse:
    """The part of the page that changes while a report is made; nothing (204) while it is as the page has seen it.

    When there is something else to see, or the session has ended, the page that asked is loaded anew.
    """
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    return _changed(request, bundle)


@refusals_in_words
def _changed(request: HttpRequest, bundle: UUID) -> HttpResponse:
    found = require_reader(request, access_bundle(bundle))
    if not found.is_open:
        return HttpResponseClientRefresh()
    context = {"bundle": found, **_progress(found)}
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "audit/_report_making.html", context)


def _head(bundle: Bundle) -> dict[str, Any]:
    return {
        "bundle": bundle,
        "label": report_label(bundle.report),
        "rule": rule_label(bundle.report),
        "badge_state": BADGES[bundle.state],
        "consortium": access_consortium(bundle.consortium_id),
    }


def _progress(bundle: Bundle) -> dict[str, Any]:
    at = _STEPS.index(Bundle.Step(bundle.step)) if bundle.step in _STEPS else 0
    steps = [{"label": step.label, "is_done": place < at, "is_now": place == at} for place, step in enumerate(_STEPS)]
    return {"steps": steps, "seen": f"{bundle.state}-{bundle.step}-{bundle.progress}-{bundle.attempts}"}


def _document(request: HttpRequest, bundle: Bundle) -> dict[str, Any]:
    document = dict(bundle.document or {})
    sections = sections_of(document)
    shown, numbers = request.GET.get("show", ""), numbers_in(sections)
    return {
        "report": document,
        "contents": sections,
        "sections": _narrowed(sections, _SHOWN[shown]) if shown in _SHOWN else sections,
        "shown": shown if shown in _SHOWN else "",
        "numbers": numbers,
        "bar": numbers.bar(),
        "proof": proof_of(bundle),
    }


def _narrowed(sections: list[Section], answers: tuple[str, ...]) -> list[Section]:
    narrowed = [section.only(answers) for section in sections]
    return [section for section in narrowed if section.fields or section.tables]
