"""Organizations come onto the platform by its operator, each with a first administrator."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.kernel.errors import ConflictError, InvalidInputError
from consortium.membership.countries import country_code
from consortium.membership.models import Membership, Organization, RoleAssignment, User
from consortium.membership.services.people import create_person


@dataclass(frozen=True)
class FirstPerson:
    """Somebody of a new organization; its administrator invites the others later."""

    email: str
    name: str
    roles: Sequence[str]
    pass_phrase: str


@transaction.atomic
def create_organization(*, name: str, slug: str, people: Sequence[FirstPerson], country: str = "") -> Organization:
    """Make a tenant with its first people, an administrator among them; the system's role makes it.

    Raises
    ------
    InvalidInputError
        If nobody would administer it, or the country is none; nothing is made then.
    """
    if not any(RoleAssignment.Role.ADMIN in person.roles for person in people):
        raise InvalidInputError(_("%(name)s needs somebody with the role admin.") % {"name": name})
    code = country_code(country) if country else ""
    organization = Organization.objects.create(name=name, slug=slug, country=code)
    for person in people:
        user = create_person(email=person.email, name=person.name, password=person.pass_phrase)
        for role in person.roles:
            assign_role(user=user, organization=organization, role=role, actor=Actor.system("operator"))
    return organization


class ApplicationUnderWayError(ConflictError):
    """The organization has applied, and the members vote on its profile as it stands."""

    code = "application_under_way"


@transaction.atomic
def set_country(*, organization: Organization, country: str, acting_user: User) -> Organization:
    """Say in which country an organization is; the same again changes nothing.

    The profile that members have voted on stays in the registry as it was then.

    Raises
    ------
    InvalidInputError
        If it is no country's code.
    ApplicationUnderWayError
        While the organization waits for admission: its profile, the country in it, is what the members vote on.
    """
    code = country_code(country)
    kept = Organization.objects.select_for_update().get(pk=organization.pk)
    if kept.country == code:
        return kept
    if Membership.objects.filter(organization=kept, status=Membership.Status.APPLICANT).exists():
        raise ApplicationUnderWayError(
            _("The members vote on your profile as it stands. Set the country once they have decided.")
        )
    kept.country = code
    kept.save(update_fields=["country"])
    record(
        action="membership.organization.locate",
        organization_id=kept.pk,
        consortium_id=None,
        actor=Actor.person(acting_user.pk, kept.pk),
        subject=Subject("organization", str(kept.pk)),
        data={"country": code},
    )
    return kept


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
