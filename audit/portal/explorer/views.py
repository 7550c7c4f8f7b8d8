"""Pages of the audit: records with filters, one record with its proof, and one act followed everywhere."""

import json
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from audit.log.states import with_state
from audit.models import AuditLog, AuditRecord
from audit.portal.explorer.filters import FilterForm, filtered, page_of
from audit.portal.explorer.lines import lines_of
from audit.portal.explorer.proofs import as_json, proof_of
from audit.portal.explorer.readers import logs_of, may_read, readable_logs
from audit.portal.explorer.traces import trace_of
from consortium.kernel.merkle import leaf_hash
from consortium.membership.portal.chosen import chosen_consortium


@require_GET
@login_required
def audit(request: HttpRequest) -> HttpResponse:
    """The records of one log, newest first, by the filters that are set."""
    if not may_read(request):
        return render(request, "audit/explorer/closed.html", status=403)
    logs = logs_of(request)
    consortium = chosen_consortium(request)
    members = {m.organization_id: m.organization.name for m in consortium.memberships.all()} if consortium else {}
    form = FilterForm(request.GET, logs=logs, members=members)
    context: dict[str, Any] = {"form": form, "is_filtered": any(form.data.get(n) for n in form.fields if n != "log")}
    if form.is_valid():
        context |= _page(request, logs, form.cleaned_data)
    return render(request, "audit/explorer/records.html", context, status=200 if form.is_valid() else 400)


@require_GET
@login_required
def record(request: HttpRequest, record: UUID) -> HttpResponse:
    """One record: what was hashed, where it lies in the log, who signed for that, and a way to check it."""
    found = _record(request, record)
    canonical, proof = bytes(found.canonical), proof_of(found)
    context = {
        "record": found,
        "line": lines_of([found])[0],
        "text": json.dumps(json.loads(canonical), indent=2, ensure_ascii=False),
        "bytes": len(canonical),
        "leaf_hash": leaf_hash(canonical).hex(),
        "proof": proof,
        "proof_path": [step.hex() for step in proof.inclusion.path] if proof else [],
        "proof_root": proof.inclusion.root.hex() if proof else "",
    }
    return render(request, "audit/explorer/record.html", context)


@require_GET
@login_required
def record_proof(request: HttpRequest, record: UUID) -> HttpResponse:
    """The record's bytes and its proof, for the script that checks them in the browser."""
    found = _record(request, record)
    proof = proof_of(found)
    if proof is None:
        detail = _("The record lies under no checkpoint yet. Ask again shortly.")
        return JsonResponse({"detail": detail}, status=409)
    return JsonResponse(as_json(found, proof))


@require_GET
@login_required
def correlation(request: HttpRequest, correlation: str) -> HttpResponse:
    """Everything that one act set off, across platform, chain and sites."""
    context = {"correlation": correlation, "may_read": may_read(request)}
    context["steps"] = trace_of(correlation, with_records=bool(context["may_read"]))
    return render(request, "audit/explorer/correlation.html", context, status=200 if context["steps"] else 404)


def _page(request: HttpRequest, logs: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    log = logs.get(asked["log"]) or next(iter(logs.values()), None)
    if log is None:
        return {"log": None, "lines": []}
    records = filtered(AuditRecord.objects.filter(log=log).defer("canonical"), asked)
    page = page_of(with_state(records), request.GET.get("after", ""))
    return {"log": log, "lines": lines_of(page.rows), "following": _address(request, page.following)}


def _address(request: HttpRequest, cursor: str) -> str:
    """The next page's query with the same filters; empty where there is none."""
    if not cursor:
        return ""
    kept = [(name, value) for name, value in request.GET.items() if value and name != "after"]
    return urlencode([*kept, ("after", cursor)])


def _record(request: HttpRequest, key: UUID) -> Any:
    """The record, 404 for whoever may not read it: roles as at the API, rows as the policies say."""
    logs = AuditLog.objects.filter(readable_logs(request))
    found = with_state(AuditRecord.objects.select_related("log").filter(pk=key, log__in=logs)).first()
    if found is None:
        raise Http404
    return found
