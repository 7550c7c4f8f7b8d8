"""Proposing: a member's agent signs kind and subject, the platform submits them."""

from dataclasses import dataclass, field
from uuid import UUID

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.governance.domain.kinds import Contract, number_of
from consortium.governance.models import Proposal
from consortium.governance.services.activation import require_node_in_sync
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.membership.access import require_member
from contracts import outbox


@dataclass(frozen=True)
class SignedProposal:
    """What the agent sends: the message that its vote key signed, and the signature."""

    consortium_id: UUID
    contract: str
    kind: str
    deadline: int
    signature: bytes
    arguments: bytes = b""
    description: str = ""
    subject: bytes = b""
    policy: str = ""
    owners: list[UUID] = field(default_factory=list)
    document_digest: str = ""


def propose(*, signed: SignedProposal, organization_id: UUID, actor: Actor) -> Proposal:
    """Record a proposal and hand it to the chain, which checks the signature.

    Raises
    ------
    NotFoundError, ForbiddenError
        If the organization does not see the consortium, or is no member of it.
    NodeNotInSyncError
        If it would activate a validator whose node is not seen in sync.
    """
    require_member(signed.consortium_id, organization_id)
    require_node_in_sync(signed.contract, signed.kind, consortium_id=signed.consortium_id, arguments=signed.arguments)
    proposal = Proposal.objects.create(
        consortium_id=signed.consortium_id,
        organization_id=organization_id,
        contract=signed.contract,
        kind=signed.kind,
        subject="0x" + signed.subject.hex() if signed.subject else "",
        arguments="0x" + signed.arguments.hex(),
        description=signed.description,
        document_digest=signed.document_digest,
        policy_digest=signed.policy,
        owners=[str(owner) for owner in signed.owners],
    )
    record(
        action="governance.proposal.open",
        organization_id=None,
        consortium_id=signed.consortium_id,
        actor=actor,
        subject=Subject("proposal", str(proposal.pk)),
        data={"kind": signed.kind} | ({"digest": signed.document_digest} if signed.document_digest else {}),
    )
    outbox.enqueue(
        consortium_id=signed.consortium_id,
        organization_id=organization_id,
        contract=signed.contract,
        function="proposeActBySig" if signed.contract == Contract.GOVERNOR else "openDecision",
        arguments=_arguments(signed, organization_id),
        idempotency_key=f"proposal:{proposal.pk}",
    )
    return proposal


def _arguments(signed: SignedProposal, organization_id: UUID) -> list[object]:
    author = uuid_to_bytes32(organization_id)
    number = number_of(signed.contract, signed.kind)
    if signed.contract == Contract.GOVERNOR:
        return [author, number, signed.arguments, signed.description, signed.deadline, signed.signature]
    policy = digest_to_bytes32(signed.policy)
    owners = [uuid_to_bytes32(owner) for owner in signed.owners]
    return [number, signed.subject, policy, author, owners, signed.deadline, signed.signature]
