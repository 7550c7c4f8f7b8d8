"""What a proposal's page says of the guardian: how many have signed, who, and whether one's own organization may."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from consortium.governance.models import GuardianRule, Proposal
from consortium.governance.services.vetoes import standing, why_not_vetoable
from consortium.membership.models import Organization


@dataclass(frozen=True)
class GuardianRow:
    """One guardian; `signed` tells when it signed, with the key that it has now, and `reason` why."""

    organization: Organization
    signed: datetime | None
    reason: str


@dataclass(frozen=True)
class GuardianView:
    """The guardian beside one proposal."""

    rows: list[GuardianRow]
    given: int
    threshold: int
    why_not: str
    may_sign: bool
    stopped: bool

    @property
    def missing(self) -> int:
        return max(0, self.threshold - self.given)


def guardian_view(proposal: Proposal, own: UUID | None) -> GuardianView | None:
    """The guardian's part of a page; None where no guardian has a say: no act waits, and none was vetoed."""
    rule = GuardianRule.objects.filter(consortium_id=proposal.consortium_id).first()
    waits = proposal.is_act and proposal.state == Proposal.State.QUEUED
    if rule is None or not (waits or proposal.vetoed_by):
        return None
    named = proposal.vetoed_by or rule.organizations
    signed = {veto.organization_id: veto for veto in standing(proposal)}
    if proposal.vetoed_by:
        signed = {veto.organization_id: veto for veto in proposal.vetoes.all()}
    rows = [
        GuardianRow(one, signed[one.pk].created_at, signed[one.pk].reason)
        if one.pk in signed
        else GuardianRow(one, None, "")
        for one in Organization.objects.filter(pk__in=named).order_by("name")
    ]
    why_not = why_not_vetoable(proposal)
    may_sign = not why_not and own is not None and str(own) in rule.organizations and own not in signed
    given = len(proposal.vetoed_by) or len(signed)
    return GuardianView(rows, given, rule.threshold, why_not, may_sign, bool(proposal.vetoed_by))
