"""The row of seats that shows a vote: who said yes, where the line lies, who is missing."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from consortium.governance.models import Ballot, Proposal
from consortium.membership.models import Membership

ICONS = {"yes": "check", "no": "x", "abstain": "ban", "": "circle-dashed"}


@dataclass(frozen=True)
class Seat:
    """One member's place in a vote."""

    name: str
    organization_id: UUID
    choice: str
    is_own: bool
    ballot: Ballot | None

    @property
    def icon(self) -> str:
        return "user" if self.is_own and not self.choice else ICONS[self.choice]

    @property
    def css(self) -> str:
        if self.choice:
            return f"seat-{self.choice}"
        return "seat-you" if self.is_own else ""


def seats_of(proposal: Proposal, own: UUID | None) -> list[Seat]:
    """The seats in the order yes, own, not voted, no: the line after the number needed then shows what is missing."""
    ballots = {ballot.organization_id: ballot for ballot in proposal.ballots.all() if ballot.chain_state != "failed"}
    seats = [
        Seat(
            name=membership.organization.name,
            organization_id=membership.organization_id,
            choice=ballots[membership.organization_id].choice if membership.organization_id in ballots else "",
            is_own=membership.organization_id == own,
            ballot=ballots.get(membership.organization_id),
        )
        for membership in _eligible(proposal)
    ]
    return sorted(seats, key=lambda seat: (_rank(seat), seat.name))


def _eligible(proposal: Proposal) -> list[Membership]:
    members = Membership.objects.filter(
        consortium_id=proposal.consortium_id, status__in=[Membership.Status.ACTIVE, Membership.Status.SUSPENDED]
    ).select_related("organization")
    if proposal.rule.get("exclude_author"):
        members = members.exclude(organization_id=proposal.organization_id)
    return list(members)


def _rank(seat: Seat) -> int:
    return {"yes": 0, "": 1 if seat.is_own else 2, "abstain": 3, "no": 4}[seat.choice]


def headline(proposal: Proposal, own: UUID | None) -> dict[str, Any]:
    """What the tally says in one sentence, and the numbers behind it."""
    count, needed = proposal.count(), proposal.yes_needed() if proposal.base else 0
    return {
        "count": count,
        "needed": needed,
        "missing": max(0, needed - count.yes),
        "not_voted": max(0, proposal.base - count.cast),
        "seats": seats_of(proposal, own),
    }
