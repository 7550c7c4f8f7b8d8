"""Organizations come onto the platform by its operator, each with a first administrator."""

from django.db import transaction

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.membership.models import Organization, RoleAssignment, User
from consortium.membership.services.people import create_person


@transaction.atomic
def create_organization(*, name: str, slug: str, admin_email: str, admin_password: str) -> Organization:
    """Make a tenant and its first administrator; the system's role makes it."""
    organization = Organization.objects.create(name=name, slug=slug)
    admin = create_person(email=admin_email, name=f"Administrator of {name}", password=admin_password)
    assign_role(user=admin, organization=organization, role=RoleAssignment.Role.ADMIN, actor=Actor.system("operator"))
    return organization


def assign_role(*, user: User, organization: Organization, role: str, actor: Actor) -> RoleAssignment:
    """Give a person a role in an organization; one they have stays as it is."""
    assignment, is_new = RoleAssignment.objects.get_or_create(user=user, organization=organization, role=role)
    if is_new:
        record(
            action="membership.role.assign",
            organization_id=organization.pk,
            consortium_id=None,
            actor=actor,
            subject=Subject("person", str(user.pk)),
            data={"role": role},
        )
    return assignment
