"""The row of seats that shows a vote: who said yes, where the line lies, who is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from consortium.common.parts import ProofMark
from consortium.governance.models import Ballot, Proposal
from consortium.membership.models import Membership, Organization

ICONS = {"yes": "check", "no": "x", "abstain": "ban", "": "circle-dashed"}


@dataclass(frozen=True)
class Seat:
    """One member's place in a vote."""

    name: str
    organization_id: UUID
    choice: str
    is_own: bool
    ballot: Ballot | None
    organization: Organization
    # What all names of the row begin with, so that a narrow seat shows what tells them apart.
    prefix: str = ""

    @property
    def short(self) -> str:
        return self.name.removeprefix(self.prefix).strip()

    @property
    def proof(self) -> ProofMark | None:
        if self.ballot is None:
            return None
        return ProofMark.of(self.ballot, _("%(name)s, vote key") % {"name": self.name}, self.ballot.created_at)

    @property
    def said(self) -> str:
        return {"yes": _("yes"), "no": _("no"), "abstain": _("abstained")}.get(self.choice, _("not voted"))

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
    eligible = _eligible(proposal)
    prefix = common_words([membership.organization.name for membership in eligible])
    seats = [
        Seat(
            name=membership.organization.name,
            organization_id=membership.organization_id,
            choice=ballots[membership.organization_id].choice if membership.organization_id in ballots else "",
            is_own=membership.organization_id == own,
            ballot=ballots.get(membership.organization_id),
            organization=membership.organization,
            prefix=prefix,
        )
        for membership in eligible
    ]
    return sorted(seats, key=lambda seat: (_rank(seat), seat.name))


def common_words(names: Sequence[str]) -> str:
    """The whole words that all names begin with, if each name goes on after them."""
    words = [name.split() for name in names]
    shared = [at[0] for at in zip(*words, strict=False) if len(set(at)) == 1]
    return " ".join(shared) if len(words) > 1 and all(len(one) > len(shared) for one in words) else ""


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
