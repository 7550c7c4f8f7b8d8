"""Three standing organizations: a hospital, a bank, and an outsider who must see nothing of theirs."""

from dataclasses import dataclass

from consortium.membership.models import Consortium, Membership, Organization, RoleAssignment, User


@dataclass(frozen=True)
class World:
    """A hospital and a bank share a consortium; the outsider has one of its own."""

    hospital: Organization
    bank: Organization
    outsider: Organization
    consortium: Consortium
    other_consortium: Consortium


def make_user(email: str, **fields: object) -> User:
    return User.objects.create_user(email=email, name=email.split("@")[0], password="a long pass phrase", **fields)


def make_member(consortium: Consortium, organization: Organization, status: str = "active") -> Membership:
    return Membership.objects.create(
        consortium=consortium, organization=organization, status=status, chain_state="confirmed"
    )


def make_world() -> World:
    """Make the standing organizations; call as the system."""
    hospital, bank, outsider = (
        Organization.objects.create(name=name.capitalize(), slug=name) for name in ("hospital", "bank", "outsider")
    )
    consortium = Consortium.objects.create(name="Shared", slug="shared", chain_id=1)
    other = Consortium.objects.create(name="Other", slug="other", chain_id=1)
    for organization in (hospital, bank):
        make_member(consortium, organization)
    make_member(other, outsider)
    for organization in (hospital, bank, outsider):
        user = make_user(f"admin@{organization.slug}.example")
        RoleAssignment.objects.create(user=user, organization=organization, role="admin")
    return World(hospital, bank, outsider, consortium, other)
