"""Reads about governance; the database's policies decide which rows there are."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from consortium.governance.models import Ballot, Proposal


def proposals(consortium_id: UUID | None = None) -> QuerySet[Proposal]:
    """Proposals that the asker sees, newest first, with their ballots and authors."""
    found = Proposal.objects.select_related("organization", "consortium").prefetch_related(
        Prefetch("ballots", queryset=Ballot.objects.select_related("organization").order_by("created_at"))
    )
    if consortium_id is not None:
        found = found.filter(consortium_id=consortium_id)
    return found.order_by("-created_at")


def waiting_for(organization_id: UUID) -> list[Proposal]:
    """Open proposals on which the organization may still vote."""
    found = proposals().filter(state__in=[Proposal.State.PENDING, Proposal.State.ACTIVE]).exclude(chain_key="")
    return [proposal for proposal in found if _may_vote(proposal, organization_id)]


def _may_vote(proposal: Proposal, organization_id: UUID) -> bool:
    if any(b.organization_id == organization_id and b.chain_state != "failed" for b in proposal.ballots.all()):
        return False
    excluded = bool(proposal.rule.get("exclude_author")) and proposal.organization_id == organization_id
    return not excluded
