"""Pages about what is put to the vote."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseClientRefresh

from consortium.common.pages import choices
from consortium.governance import selectors
from consortium.governance.domain.kinds import Contract
from consortium.governance.models import Proposal
from consortium.governance.portal.changes import call_of, changes_of
from consortium.governance.portal.seats import headline
from consortium.governance.portal.steps import next_steps, proof_steps
from consortium.governance.portal.titles import names_for, sentence_of, title_of
from consortium.governance.portal.vetoes import guardian_view
from consortium.membership.models import Organization
from consortium.membership.portal.chosen import chosen_consortium
from consortium.membership.selectors import member_page_of

Test = Callable[[Proposal], bool]
_STATES: dict[str, Test] = {"open": lambda p: p.is_open, "decided": lambda p: not p.is_open}
_KINDS: dict[str, Test] = {
    "acts": lambda p: p.contract == Contract.GOVERNOR,
    "plans": lambda p: p.kind == "approve_plan",
    "models": lambda p: p.kind in {"release_model", "recall_model"},
}


@dataclass(frozen=True)
class Row:
    """A proposal as a row of the list shows it."""

    proposal: Proposal
    title: str
    sentence: str
    waits_for_us: bool


@require_GET
@login_required
def proposals(request: HttpRequest) -> HttpResponse:
    """The proposals of the chosen consortium, the open ones first."""
    consortium = chosen_consortium(request)
    found = list(selectors.proposals(consortium.pk)) if consortium else []
    state, kind = _STATES.get(request.GET.get("state", "")), _KINDS.get(request.GET.get("kind", ""))
    shown = [p for p in found if (state is None or state(p)) and (kind is None or kind(p))]
    context = {
        "rows": _rows(sorted(shown, key=lambda p: not p.is_open), _own(request)),
        "has_any": bool(found),
        "by_state": choices(request, "state", _state_options(), _counts(found, _STATES)),
        "by_kind": choices(request, "kind", _kind_options(), _counts(found, _KINDS)),
    }
    return render(request, "governance/proposals.html", context)


@require_GET
@login_required
def proposal(request: HttpRequest, proposal: UUID) -> HttpResponse:
    """One proposal: its tally, what it changes, and how to vote; kept fresh while it is open."""
    return render(request, "governance/proposal.html", _page(request, _find(proposal)))


@require_GET
@never_cache
def proposal_progress(request: HttpRequest, proposal: UUID) -> HttpResponse:
    """The part of a proposal's page that changes; nothing (204) while it is as the page has seen it."""
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    context = _page(request, _find(proposal))
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "governance/_proposal.html", context)


def _find(proposal_id: UUID) -> Proposal:
    try:
        return selectors.proposals().get(pk=proposal_id)
    except Proposal.DoesNotExist:
        raise Http404 from None


def _page(request: HttpRequest, found: Proposal) -> dict[str, Any]:
    """What the page shows, its changing part as text, and the digest by which the page says that it has seen it."""
    own = _own(request)
    names = names_for([found])
    head = headline(found, own.pk if own else None)
    may_vote = own is not None and selectors.may_vote(found, own.pk) and any(seat.is_own for seat in head["seats"])
    context = {
        "proposal": found,
        "title": title_of(found, names),
        "sentence": sentence_of(found, is_ones_own=may_vote),
        "may_vote": may_vote and found.is_open,
        "member_page": member_page_of(own.pk, f"ballots/{found.pk}") if own else "",
        "changes": changes_of(found, names),
        "call": call_of(found),
        "proof_steps": proof_steps(found),
        "next_steps": next_steps(found),
        "guardian": guardian_view(found, own.pk if own else None),
        "veto_page": member_page_of(own.pk, f"vetoes/{found.pk}") if own else "",
        "is_live": found.state in selectors.UNDECIDED,
        **head,
    }
    body = render_to_string("governance/_proposal_body.html", context, request=request)
    seen = hashlib.sha256(body.encode()).hexdigest()[:16]
    return context | {"body": body, "seen": seen}


def _rows(found: list[Proposal], own: Organization | None) -> list[Row]:
    names = names_for(found)
    rows = []
    for one in found:
        waits = own is not None and one.is_open and bool(one.chain_key) and selectors.may_vote(one, own.pk)
        rows.append(Row(one, title_of(one, names), sentence_of(one, is_ones_own=waits), waits))
    return rows


def _own(request: HttpRequest) -> Organization | None:
    organization: Organization | None = getattr(request, "organization", None)
    return organization


def _counts(found: list[Proposal], tests: dict[str, Test]) -> dict[str, int]:
    return {"": len(found)} | {name: sum(map(test, found)) for name, test in tests.items()}


def _state_options() -> list[tuple[str, str]]:
    return [("", _("All")), ("open", _("Open")), ("decided", _("Decided"))]


def _kind_options() -> list[tuple[str, str]]:
    return [("", _("Any kind")), ("acts", _("Constitutional acts")), ("plans", _("Plans")), ("models", _("Models"))]
