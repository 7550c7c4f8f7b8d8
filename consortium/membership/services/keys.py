"""A member replaces its own key: its vote key signed, the platform submits, the registry decides."""

from dataclasses import dataclass
from uuid import UUID

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.membership.access import require_member
from consortium.membership.models import OrganizationKey
from contracts import outbox

# The registry's enum KeyPurpose; a validator's address is changed by vote alone.
PURPOSES = {1: OrganizationKey.Purpose.VOTE, 2: OrganizationKey.Purpose.SITE}


@dataclass(frozen=True)
class SignedRotation:
    """What the agent sends: the fields that its vote key signed, and the signature."""

    consortium_id: UUID
    purpose: int
    new_key: str
    nonce: int
    deadline: int
    signature: bytes


def rotate_key(*, signed: SignedRotation, organization_id: UUID, actor: Actor) -> str:
    """Record the request and hand it to the chain, which checks the signature; return the transaction's state.

    The keys' rows follow the registry's event: until its block the old key is the one that is known.

    Raises
    ------
    NotFoundError, ForbiddenError
        If the organization does not see the consortium, or is no member of it.
    """
    require_member(signed.consortium_id, organization_id)
    record(
        action="membership.key.relay",
        organization_id=None,
        consortium_id=signed.consortium_id,
        actor=actor,
        subject=Subject("organization", str(organization_id)),
        data={"purpose": str(PURPOSES[signed.purpose]), "address": signed.new_key},
    )
    organization = uuid_to_bytes32(organization_id)
    entry = outbox.enqueue(
        consortium_id=signed.consortium_id,
        organization_id=organization_id,
        contract="ConsortiumRegistry",
        function="rotateKey",
        arguments=[organization, signed.purpose, signed.new_key, signed.deadline, signed.signature],
        idempotency_key=f"key:{signed.consortium_id}:{organization_id}:{signed.nonce}:{signed.deadline}",
    )
    return str(entry.state)
