"""What people may do in an organization: an administrator changes it, and never shuts the last administrator out."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.kernel.errors import ConflictError, InvalidInputError
from consortium.membership.access import access_colleague
from consortium.membership.models import Organization, RoleAssignment, User
from consortium.membership.services.organizations import assign_role

Role = RoleAssignment.Role


class LastAdministratorError(ConflictError):
    """Nobody would administer the organization any more."""

    code = "last_administrator"


@transaction.atomic
def change_roles(*, person_id: UUID, roles: Collection[str], organization: Organization, acting_user: User) -> User:
    """Give a person exactly these roles in the organization.

    Raises
    ------
    NotFoundError
        If the person has no role there.
    InvalidInputError
        Without a role, or with one that is none.
    LastAdministratorError
        If nobody would administer the organization; nothing is changed then.
    """
    if not roles or set(roles) - set(Role.values):
        raise InvalidInputError(_("Choose at least one role, or deactivate the person. Nothing was changed."))
    person, held = _hold(person_id, organization)
    if Role.ADMIN in held and Role.ADMIN not in roles:
        _require_another_administrator(organization, person)
    if not _is_suspended(person, organization):
        for role in sorted(set(roles) - held):
            assign_role(user=person, organization=organization, role=role, actor=_actor(acting_user, organization))
        for role in sorted(held - set(roles)):
            RoleAssignment.objects.filter(user=person, organization=organization, role=role).delete()
            _record("membership.role.remove", person, organization, acting_user, role=role)
        return person
    raise ConflictError(_("The person is deactivated here. Reactivate them first; nothing was changed."))


@transaction.atomic
def deactivate(*, person_id: UUID, organization: Organization, acting_user: User) -> User:
    """Shut a person out of the organization: their sessions end and their tokens are refused there.

    Raises
    ------
    NotFoundError
        If the person has no role there.
    LastAdministratorError
        If nobody would administer the organization; nothing is changed then.
    """
    person, held = _hold(person_id, organization)
    if Role.ADMIN in held:
        _require_another_administrator(organization, person)
    rows = RoleAssignment.objects.filter(user=person, organization=organization, suspended_at__isnull=True)
    if rows.update(suspended_at=timezone.now()):
        _record("membership.person.suspend", person, organization, acting_user)
    return person


@transaction.atomic
def reactivate(*, person_id: UUID, organization: Organization, acting_user: User) -> User:
    """Let a person in again, with the roles that they had.

    Raises
    ------
    NotFoundError
        If the person has no role there.
    """
    person, _held = _hold(person_id, organization)
    rows = RoleAssignment.objects.filter(user=person, organization=organization, suspended_at__isnull=False)
    if rows.update(suspended_at=None):
        _record("membership.person.reinstate", person, organization, acting_user)
    return person


def _hold(person_id: UUID, organization: Organization) -> tuple[User, set[str]]:
    """The person and their roles, with all administrators' rows locked: two acts at once go one after the other."""
    administrators = RoleAssignment.objects.filter(organization=organization, role=Role.ADMIN)
    list(administrators.select_for_update().order_by("pk"))
    person = access_colleague(person_id, organization_id=organization.pk)
    held = RoleAssignment.objects.filter(user=person, organization=organization).values_list("role", flat=True)
    return person, set(held)


def _require_another_administrator(organization: Organization, person: User) -> None:
    others = RoleAssignment.objects.filter(
        organization=organization, role=Role.ADMIN, suspended_at__isnull=True, user__is_active=True
    ).exclude(user=person)
    if not others.exists():
        raise LastAdministratorError(
            _("This is the last administrator. Make somebody else an administrator first; nothing was changed.")
        )


def _is_suspended(person: User, organization: Organization) -> bool:
    return RoleAssignment.objects.filter(user=person, organization=organization, suspended_at__isnull=False).exists()


def _actor(acting_user: User, organization: Organization) -> Actor:
    return Actor.person(acting_user.pk, organization.pk)


def _record(action: str, person: User, organization: Organization, acting_user: User, **data: str) -> None:
    record(
        action=action,
        organization_id=organization.pk,
        consortium_id=None,
        actor=_actor(acting_user, organization),
        subject=Subject("person", str(person.pk)),
        data=data,
    )
