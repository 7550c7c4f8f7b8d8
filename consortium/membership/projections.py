"""What the registry's events make of memberships: the chain decides, the rows follow."""

from uuid import UUID

from django.utils import timezone

from audit.acts import Actor, Subject
from audit.recorder import record_once
from consortium.kernel.digests import bytes32_to_digest
from consortium.kernel.identifiers import bytes32_to_uuid, to_hex
from consortium.membership.models import Consortium, Membership, OrganizationKey
from contracts.events import ChainEvent
from contracts.projector import projects
from contracts.reading.read_models import CHAIN_BACKED, read_model

PROJECTOR = Actor.system("projector")
OURS = {"created_at": "our clock"}
read_model(
    Membership,
    before=CHAIN_BACKED | {"status": "CASE chain_state WHEN 'confirmed' THEN 'applicant' ELSE status END"},
    written=("validator", "profile_digest"),
    ours=OURS
    | {
        "consortium_id": "names the row",
        "organization_id": "names the row",
        "joined_at": "our clock, when the event was handled",
        "enode": "given by the applicant",
    },
)
read_model(
    OrganizationKey,
    identity=("membership_id", "purpose", "address", "valid_from_block", "retired_at_block"),
    # Those that an application named wait for the registry; the registry's own are made by its events.
    seeded="valid_from_block IS NULL AND retired_at_block IS NULL",
    ours=OURS | {"id": "given by us"},
)
read_model(
    Consortium,
    written=("policy_digest",),
    ours=OURS
    | {
        "name": "given by the founders",
        "slug": "given by the founders",
        "chain_id": "given by the founders",
        "founded_at": "our clock",
    },
)
_PURPOSES = {1: OrganizationKey.Purpose.VOTE, 2: OrganizationKey.Purpose.SITE}


@projects("OrganizationAdmitted")
def organization_admitted(consortium_id: UUID, event: ChainEvent) -> None:
    membership = _membership(consortium_id, event)
    arguments = event.arguments
    for purpose, name in ((OrganizationKey.Purpose.VOTE, "voteKey"), (OrganizationKey.Purpose.SITE, "siteKey")):
        _use_key(membership, purpose, arguments[name], event.block_number)
    membership.validator = arguments["validator"]
    membership.profile_digest = bytes32_to_digest(arguments["profile"])
    membership.joined_at = membership.joined_at or timezone.now()
    _set_status(membership, Membership.Status.ACTIVE, "membership.organization.admit", event)


@projects("OrganizationSuspended")
def organization_suspended(consortium_id: UUID, event: ChainEvent) -> None:
    membership = _membership(consortium_id, event)
    _set_status(membership, Membership.Status.SUSPENDED, "membership.organization.suspend", event)


@projects("OrganizationReinstated")
def organization_reinstated(consortium_id: UUID, event: ChainEvent) -> None:
    membership = _membership(consortium_id, event)
    _set_status(membership, Membership.Status.ACTIVE, "membership.organization.reinstate", event)


@projects("OrganizationRemoved")
def organization_removed(consortium_id: UUID, event: ChainEvent) -> None:
    membership = _membership(consortium_id, event)
    _set_status(membership, Membership.Status.REMOVED, "membership.organization.remove", event)


@projects("KeyReplaced")
def key_replaced(consortium_id: UUID, event: ChainEvent) -> None:
    purpose = _PURPOSES.get(event.arguments["purpose"])
    membership = _membership(consortium_id, event)
    if purpose is None:
        membership.validator = event.arguments["newKey"]
        membership.save(update_fields=["validator"])
        return
    _use_key(membership, purpose, event.arguments["newKey"], event.block_number)
    _record(
        membership,
        "membership.key.rotate",
        event,
        purpose=str(purpose),
        address=event.arguments["newKey"],
        block=event.block_number,
    )


@projects("ValidatorActivated")
def validator_activated(consortium_id: UUID, event: ChainEvent) -> None:
    _record_validator(consortium_id, event, active=True)


@projects("ValidatorDeactivated")
def validator_deactivated(consortium_id: UUID, event: ChainEvent) -> None:
    _record_validator(consortium_id, event, active=False)


@projects("PolicySet")
def policy_set(consortium_id: UUID, event: ChainEvent) -> None:
    digest = bytes32_to_digest(event.arguments["policy"])
    Consortium.objects.filter(pk=consortium_id).update(policy_digest=digest)
    record_once(
        event.key,
        action="membership.policy.change",
        consortium_id=consortium_id,
        actor=PROJECTOR,
        subject=Subject("consortium", str(consortium_id)),
        data={"policy": digest, "block": event.block_number},
    )


def _membership(consortium_id: UUID, event: ChainEvent) -> Membership:
    organization_id = bytes32_to_uuid(event.arguments["organization"])
    membership, _ = Membership.objects.get_or_create(consortium_id=consortium_id, organization_id=organization_id)
    return membership


def _set_status(membership: Membership, status: str, action: str, event: ChainEvent) -> None:
    membership.status = status
    membership.chain_state = "confirmed"
    membership.confirmed_block = event.block_number
    membership.transaction_hash = to_hex(event.transaction_hash)
    membership.save()
    _record(membership, action, event, block=event.block_number)


def _use_key(membership: Membership, purpose: str, address: str, block: int) -> None:
    """Make `address` the current key; an earlier one is retired, never forgotten."""
    current = OrganizationKey.objects.filter(membership=membership, purpose=purpose, retired_at_block__isnull=True)
    current.exclude(address__iexact=address).update(retired_at_block=block)
    key = current.filter(address__iexact=address).first()
    if key is None:
        OrganizationKey.objects.create(membership=membership, purpose=purpose, address=address, valid_from_block=block)
    else:
        OrganizationKey.objects.filter(pk=key.pk).update(valid_from_block=block)


def _record_validator(consortium_id: UUID, event: ChainEvent, *, active: bool) -> None:
    membership = _membership(consortium_id, event)
    _record(
        membership,
        "membership.validator.change",
        event,
        validator=event.arguments["validator"],
        active=active,
        block=event.block_number,
    )


def _record(membership: Membership, action: str, event: ChainEvent, **data: object) -> None:
    record_once(
        event.key,
        action=action,
        consortium_id=membership.consortium_id,
        actor=PROJECTOR,
        subject=Subject("organization", str(membership.organization_id)),
        data=data,
    )
