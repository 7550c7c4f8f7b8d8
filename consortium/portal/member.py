"""The page of one member: keys, what was decided about it, its votes and epochs, the runs it took part in."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from consent.models import ConsentEpoch
from consortium.common.parts import ProofMark
from consortium.governance.models import Ballot, Proposal
from consortium.governance.portal.titles import names_for, organization_of, title_of
from consortium.kernel.bands import band_label
from consortium.membership.models import Consortium, Membership, Organization
from consortium.membership.portal.chosen import chosen_consortium
from consortium.membership.portal.members import MemberRow, member_rows
from training.models import Run, SitePart

_SHOWN = 10


@dataclass(frozen=True)
class Cast:
    """A ballot of the member with the title of what it was cast on."""

    ballot: Ballot
    title: str
    proof: ProofMark


@dataclass(frozen=True)
class Epoch:
    """An anchored state of the member's consents, as a band."""

    row: ConsentEpoch
    band: str
    proof: ProofMark


@require_GET
@login_required
def member(request: HttpRequest, organization: UUID) -> HttpResponse:
    """One member, or applicant, of the chosen consortium."""
    consortium = chosen_consortium(request)
    rows = member_rows(consortium.pk) if consortium else []
    row = next((one for one in rows if one.membership.organization_id == organization), None)
    if row is None or consortium is None:
        raise Http404
    own: Organization | None = getattr(request, "organization", None)
    context = {"row": row, "is_own": own is not None and own.pk == organization, **_history(consortium, row)}
    return render(request, "portal/member.html", context)


def _history(consortium: Consortium, row: MemberRow) -> dict[str, Any]:
    organization = row.membership.organization
    acts = Proposal.objects.filter(consortium=consortium, contract="ConsortiumGovernor").order_by("-created_at")
    about = [proposal for proposal in acts if organization_of(proposal) == organization.pk][:_SHOWN]
    names = names_for(about)
    is_applicant = row.membership.status == Membership.Status.APPLICANT
    return {
        "about": [(proposal, title_of(proposal, names)) for proposal in about],
        "is_applicant": is_applicant,
        "act_json": _act_file(consortium, row) if is_applicant else "",
        "is_proposed": is_applicant and any(p.is_open and p.kind == "admit" for p in about),
        "cast": _cast(consortium, organization),
        "epochs": _epochs(consortium, organization),
        "runs": _runs(consortium, organization),
    }


def _act_file(consortium: Consortium, row: MemberRow) -> str:
    """The act that proposes an applicant's admission, as `consilium-site propose` reads it."""
    membership = row.membership
    keys = {key.purpose: key.address for key in row.keys}
    act = {
        "consortium": str(consortium.pk),
        "kind": "Admit",
        "description": f"Admit {membership.organization.name}",
        "arguments": {
            "id": str(membership.organization_id),
            "voteKey": keys.get("vote", ""),
            "siteKey": keys.get("site", ""),
            "validator": membership.validator,
            "profile": membership.profile_digest,
        },
    }
    return json.dumps(act, indent=2, ensure_ascii=False)


def _cast(consortium: Consortium, organization: Organization) -> list[Cast]:
    ballots = Ballot.objects.filter(consortium=consortium, organization=organization).exclude(chain_state="failed")
    found = list(ballots.select_related("proposal").order_by("-created_at")[:_SHOWN])
    names = names_for([ballot.proposal for ballot in found])
    signer = _("%(name)s, vote key") % {"name": organization.name}
    return [Cast(b, title_of(b.proposal, names), ProofMark.of(b, signer, b.created_at)) for b in found]


def _epochs(consortium: Consortium, organization: Organization) -> list[Epoch]:
    confirmed = ConsentEpoch.objects.filter(
        consortium=consortium, organization=organization, chain_state="confirmed"
    ).order_by("-epoch")
    signer = _("%(name)s, site key") % {"name": organization.name}
    return [Epoch(row, band_label(row.band), ProofMark.of(row, signer, row.as_of)) for row in confirmed[:_SHOWN]]


def _runs(consortium: Consortium, organization: Organization) -> list[Run]:
    taken = SitePart.objects.filter(organization=organization).values("attempt__round__run")
    return list(
        Run.objects.filter(consortium=consortium, pk__in=taken).select_related("plan").order_by("-created_at")[:_SHOWN]
    )
