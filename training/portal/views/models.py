"""Pages about models: all of them, one with its lineage, the acts that members propose on it, and its answers."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.acts import Subject
from consortium.common import blobs
from consortium.governance.portal.seats import headline
from consortium.governance.selectors import proposals
from consortium.kernel.errors import ConsiliumError, NotFoundError
from consortium.membership.portal.chosen import chosen_consortium
from training.domain.states import ModelState
from training.federated.plan import TrainingPlan
from training.models import Model
from training.portal import reads
from training.portal.card import lineage_of, metrics_of, sources_of
from training.portal.doors import act_as_person, has_role, own_id
from training.portal.foreign import summary
from training.portal.happenings import happenings_of
from training.portal.hues import Sites
from training.portal.scoring import csv_of_scores, entries_of, row_of_form, rows_of_csv
from training.portal.views.rows import of_chosen, only
from training.portal.words import card_in_words
from training.registry.predictions import predict
from training.services.plans import document_of

ASKERS = ("scientist", "admin", "steward")
ACTS = {"release": "ReleaseModel", "recall": "RecallModel"}


@require_GET
@login_required
def models(request: HttpRequest) -> HttpResponse:
    """Every model of the chosen consortium."""
    context = {"models": of_chosen(reads.models(), request), "others": summary(chosen_consortium(request))}
    return render(request, "training/models.html", context)


@require_GET
@login_required
def model(request: HttpRequest, model: UUID) -> HttpResponse:
    """One model: whether it may serve, how good it is, and where it comes from."""
    return render(request, "training/model.html", _page(request, _model(model)))


@require_GET
@login_required
def model_card(request: HttpRequest, model: UUID) -> HttpResponse:
    """The card, the bytes that its digest is of."""
    found = _model(model)
    try:
        data = bytes(blobs.get(consortium_id=found.consortium_id, digest=found.card_digest).data)
    except NotFoundError as error:
        raise Http404 from error
    response = HttpResponse(data, content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="card-{found.pk}.json"'
    return response


@require_GET
@login_required
def model_act(request: HttpRequest, model: UUID, act: str) -> HttpResponse:
    """The act that a voter's agent proposes: release or recall of exactly these weights."""
    if act not in ACTS:
        raise Http404
    found = _model(model)
    title = found.run.plan.title if found.run.plan else found.digest
    words = {"release": _("Release of the model: %(title)s"), "recall": _("Recall of the model: %(title)s")}
    document = {
        "consortium": str(found.consortium_id),
        "kind": ACTS[act],
        "description": words[act] % {"title": title},
        "subject": "0x" + found.digest.removeprefix("sha256:"),
        "owners": [],
    }
    response = JsonResponse(document, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response.headers["Content-Disposition"] = f'attachment; filename="{act}.json"'
    return response


@require_POST
@login_required
def model_scores(request: HttpRequest, model: UUID) -> HttpResponse:
    """Score one row of the form on the page, or a CSV file as a CSV file."""
    found = _model(model)
    upload = request.FILES.get("file")
    try:
        plan = _training_plan(found)
        if plan is None:
            raise Http404
        rows = rows_of_csv(plan, upload.read()) if upload else row_of_form(plan, request.POST.dict())
        scores = _predict(request, found, rows)
    except ConsiliumError as refusal:
        context = _page(request, found, request.POST.dict()) | {"refusal": refusal.message}
        return render(request, "training/model.html", context, status=refusal.http_status)
    if upload:
        response = HttpResponse(csv_of_scores(rows, scores), content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="scores-{found.pk}.csv"'
        return response
    context = _page(request, found, request.POST.dict()) | {"score": f"{scores[0]:.3f}"}
    return render(request, "training/model.html", context)


def _predict(request: HttpRequest, model: Model, rows: list[dict[str, Any]]) -> list[float]:
    answer = act_as_person(
        request,
        lambda organization, actor: predict(model_id=model.pk, rows=rows, organization_id=organization, actor=actor),
        roles=ASKERS,
        action="model.prediction.serve",
        subject=Subject("model", str(model.pk)),
        consortium_id=None,
        data={"digest": model.digest},
    )
    return [float(score) for score in answer["scores"]]


def _model(key: UUID) -> Model:
    return only(reads.models(), key)


def _page(request: HttpRequest, model: Model, entered: dict[str, str] | None = None) -> dict[str, Any]:
    own = own_id(request)
    sites = Sites(model.consortium_id, own)
    words = card_in_words(model)
    plan = _training_plan(model) if model.state == ModelState.RELEASED else None
    context: dict[str, Any] = {
        "model": model,
        "words": words,
        "registrar": sites[model.organization_id],
        "log": happenings_of("model", model.pk, model.consortium_id, sites),
        "entries": entries_of(plan, entered or {}) if plan and has_role(request, *ASKERS) else [],
        "may_propose": model.state in (ModelState.CANDIDATE, ModelState.RELEASED) and own is not None,
        **_vote(model, own),
    }
    if words is not None:
        sources = sources_of(words["card"], sites)
        metrics, measured_on = metrics_of(words["card"])
        context |= {"sources": sources, "picture": lineage_of(model, words["card"], sources)}
        context |= {"metrics": metrics, "measured_on": measured_on}
    return context


def _vote(model: Model, own: UUID | None) -> dict[str, Any]:
    proposal = proposals().filter(pk=model.proposal_id).first() if model.proposal_id else None
    return {"proposal": proposal, **(headline(proposal, own) if proposal else {})}


def _training_plan(model: Model) -> TrainingPlan | None:
    """What rows the model takes; None where the plan is not held here."""
    try:
        return document_of(model.run.plan).training_plan if model.run.plan else None
    except NotFoundError:
        return None
