"""Reads about governance; the database's policies decide which rows there are."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from consortium.governance.models import Ballot, GuardianRule, Proposal, Veto
from consortium.governance.services.vetoes import standing, why_not_vetoable


def proposals(consortium_id: UUID | None = None) -> QuerySet[Proposal]:
    """Proposals that the asker sees, newest first, with their ballots and authors."""
    found = Proposal.objects.select_related("organization", "consortium").prefetch_related(
        Prefetch("ballots", queryset=Ballot.objects.select_related("organization").order_by("created_at")),
        Prefetch("vetoes", queryset=Veto.objects.select_related("organization").order_by("created_at")),
    )
    if consortium_id is not None:
        found = found.filter(consortium_id=consortium_id)
    return found.order_by("-created_at")


# States in which something may still come of a proposal.
UNDECIDED = (Proposal.State.PENDING, Proposal.State.ACTIVE, Proposal.State.SUCCEEDED, Proposal.State.QUEUED)


def waiting_for(organization_id: UUID, consortium_id: UUID | None = None) -> list[Proposal]:
    """Open proposals on which the organization may still vote, in one consortium or in all of its own."""
    found = (
        proposals(consortium_id).filter(state__in=[Proposal.State.PENDING, Proposal.State.ACTIVE]).exclude(chain_key="")
    )
    return [proposal for proposal in found if may_vote(proposal, organization_id)]


def may_vote(proposal: Proposal, organization_id: UUID) -> bool:
    """Whether the organization has no ballot on a proposal, and is not shut out as its author."""
    if any(b.organization_id == organization_id and b.chain_state != "failed" for b in proposal.ballots.all()):
        return False
    excluded = bool(proposal.rule.get("exclude_author")) and proposal.organization_id == organization_id
    return not excluded


def unsigned_by(organization_id: UUID, consortium_id: UUID) -> list[Proposal]:
    """Of a consortium's acts that wait, those that the organization, a guardian, has not signed against."""
    waiting = [one for one in vetoable_by(organization_id) if one.consortium_id == consortium_id]
    return [one for one in waiting if all(veto.organization_id != organization_id for veto in standing(one))]


def vetoable_by(organization_id: UUID) -> list[Proposal]:
    """Acts that wait in the timelock and that the organization, a guardian, may sign against or has signed against."""
    rules = GuardianRule.objects.filter(organizations__contains=str(organization_id))
    waiting = proposals().filter(
        state=Proposal.State.QUEUED, consortium_id__in=rules.values_list("consortium_id", flat=True)
    )
    return [proposal for proposal in waiting if not why_not_vetoable(proposal)]
