"""Organizations come onto the platform by its operator, each with a first administrator."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.kernel.errors import InvalidInputError
from consortium.membership.models import Organization, RoleAssignment, User
from consortium.membership.services.people import create_person


@dataclass(frozen=True)
class FirstPerson:
    """Somebody of a new organization; its administrator invites the others later."""

    email: str
    name: str
    roles: Sequence[str]
    pass_phrase: str


@transaction.atomic
def create_organization(*, name: str, slug: str, people: Sequence[FirstPerson]) -> Organization:
    """Make a tenant with its first people, an administrator among them; the system's role makes it.

    Raises
    ------
    InvalidInputError
        If nobody would administer it; nothing is made then.
    """
    if not any(RoleAssignment.Role.ADMIN in person.roles for person in people):
        raise InvalidInputError(_("%(name)s needs somebody with the role admin.") % {"name": name})
    organization = Organization.objects.create(name=name, slug=slug)
    for person in people:
        user = create_person(email=person.email, name=person.name, password=person.pass_phrase)
        for role in person.roles:
            assign_role(user=user, organization=organization, role=role, actor=Actor.system("operator"))
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
