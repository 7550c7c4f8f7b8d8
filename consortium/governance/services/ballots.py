"""Casting: the member's signer signed, the platform submits, the chain counts."""

from uuid import UUID

from django.utils.translation import gettext as _

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.governance.access import access_proposal
from consortium.governance.domain.kinds import CHOICES, SUPPORT, Contract
from consortium.governance.errors import AlreadyVotedError, ProposalClosedError
from consortium.governance.models import Ballot, Proposal
from consortium.kernel.identifiers import from_hex, uuid_to_bytes32
from contracts import outbox


def cast(
    *, proposal_id: UUID, organization_id: UUID, choice: str, voter: str, signature: bytes, actor: Actor
) -> Ballot:
    """Record a ballot and hand it to the chain.

    Raises
    ------
    ProposalClosedError
        After the close; nothing is recorded then.
    AlreadyVotedError
        If the organization has a ballot here that did not fail.
    """
    proposal = access_proposal(proposal_id)
    if not proposal.is_open or not proposal.chain_key:
        raise ProposalClosedError(_("This proposal takes no votes (it is %(state)s).") % {"state": proposal.state})
    if proposal.ballots.filter(organization_id=organization_id).exclude(chain_state="failed").exists():
        raise AlreadyVotedError(_("Your organization has voted on this proposal. A ballot stands as it was cast."))
    ballot = Ballot.objects.create(
        proposal=proposal, consortium_id=proposal.consortium_id, organization_id=organization_id, choice=choice
    )
    record(
        action="governance.ballot.relay",
        organization_id=None,
        consortium_id=proposal.consortium_id,
        actor=actor,
        subject=Subject("proposal", str(proposal.pk)),
        data={"organization": str(organization_id), "choice": choice},
    )
    function, arguments = _call(proposal, organization_id, choice, voter, signature)
    outbox.enqueue(
        consortium_id=proposal.consortium_id,
        organization_id=organization_id,
        contract=proposal.contract,
        function=function,
        arguments=arguments,
        idempotency_key=f"ballot:{ballot.pk}",
    )
    return ballot


def _call(
    proposal: Proposal, organization_id: UUID, choice: str, voter: str, signature: bytes
) -> tuple[str, list[object]]:
    if proposal.contract == Contract.GOVERNOR:
        arguments: list[object] = [int(proposal.chain_key), SUPPORT[choice], voter, signature]
        return "castVoteBySig", arguments
    subject, decision = from_hex(proposal.subject), from_hex(proposal.chain_key)
    return "castBallot", [decision, subject, uuid_to_bytes32(organization_id), CHOICES[choice], signature]
