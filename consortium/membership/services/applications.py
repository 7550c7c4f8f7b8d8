"""Applying: an organization asks to belong to a consortium and names the addresses of its keys."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.common import blobs
from consortium.kernel.digests import digest_of
from consortium.kernel.errors import ConflictError, NotFoundError
from consortium.membership.models import Membership, Organization, OrganizationKey
from contracts.network.enodes import parse_enode
from contracts.network.errors import EnodeError


class AlreadyMemberError(ConflictError):
    """The organization has applied, or belongs to the consortium."""

    code = "already_member"


@dataclass(frozen=True)
class KeyAddresses:
    """Public addresses; the keys themselves never leave the member.

    `enode` is where other nodes reach the validator's, empty while nobody has said.
    """

    vote_key: str
    site_key: str
    validator: str
    enode: str = ""


@transaction.atomic
def apply(*, consortium_slug: str, organization: Organization, keys: KeyAddresses, actor: Actor) -> Membership:
    """Ask for admission; only a vote of the members makes it a membership.

    Raises
    ------
    NotFoundError
        If there is no such consortium.
    AlreadyMemberError
        If the organization has applied before.
    EnodeError
        If the enode is none, or another node's than the validator's.
    """
    enode = checked_enode(keys)
    consortium_id = _find(consortium_slug)
    if Membership.objects.filter(consortium_id=consortium_id, organization=organization).exists():
        raise AlreadyMemberError(_("Your organization has applied to this consortium, or belongs to it."))
    membership = Membership.objects.create(
        consortium_id=consortium_id,
        organization=organization,
        validator=keys.validator,
        enode=enode,
        profile_digest=profile_digest(organization),
    )
    record_keys(membership, keys)
    record(
        action="membership.organization.apply",
        organization_id=organization.pk,
        consortium_id=None,
        actor=actor,
        subject=Subject("organization", str(organization.pk)),
        data={"profile": membership.profile_digest, "vote_key": keys.vote_key, "site_key": keys.site_key},
    )
    return membership


def checked_enode(keys: KeyAddresses) -> str:
    """The enode in its one spelling, empty if there is none; `EnodeError` if it is not the validator's node."""
    if not keys.enode:
        return ""
    found = parse_enode(keys.enode)
    if found.address.lower() != keys.validator.lower():
        raise EnodeError(
            f"This enode is that of {found.address}, not of the validator. Give the node whose address you name."
        )
    return str(found)


def profile_of(organization: Organization) -> dict[str, str]:
    """What is public of an organization; the registry holds its digest."""
    return {"id": str(organization.pk), "name": organization.name, "country": organization.country}


def profile_digest(organization: Organization) -> str:
    return digest_of(profile_of(organization))


def publish_profile(consortium_id: UUID, organization: Organization) -> str:
    """Leave the profile where members' agents find it by its digest; the system's role does it."""
    return blobs.put_document(consortium_id=consortium_id, document=profile_of(organization))


def record_keys(membership: Membership, keys: KeyAddresses) -> None:
    for purpose, address in (
        (OrganizationKey.Purpose.VOTE, keys.vote_key),
        (OrganizationKey.Purpose.SITE, keys.site_key),
    ):
        OrganizationKey.objects.create(membership=membership, purpose=purpose, address=address)


def _find(slug: str) -> UUID:
    """A consortium by its public short name: an applicant sees nothing of it yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT consilium_consortium_named(%s)", [slug])
        found: UUID | None = cursor.fetchone()[0]
    if found is None:
        raise NotFoundError(_("There is no consortium of that name here."))
    return found
