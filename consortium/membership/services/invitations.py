"""Inviting by link: an administrator chooses roles, one person comes in once.

The secret of a link is 32 random bytes, shown to the administrator once; the database keeps its SHA-256. Redeeming
runs in `consilium_redeem_invitation`, a function of the database: the web's own role may make no person at all.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.common.tenancy import act_for, set_identity
from consortium.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from consortium.membership.access import access_invitation, require_member
from consortium.membership.models import Consortium, Invitation, Organization, RoleAssignment, User

LIFETIME = timedelta(days=7)
LONGEST_APPOINTMENT = timedelta(days=3 * 366)
TOKEN_BYTES = 32


class InvitationClosedError(NotFoundError):
    """The link leads nowhere: unknown, used, taken back or expired, which its bearer is not told apart."""

    code = "invitation_closed"


class PersonNotNewError(ConflictError):
    """The link cannot make this person; who has an account logs in first."""

    code = "person_not_new"


def digest_of_token(token: str) -> str:
    """What the database knows of a link."""
    return "sha256:" + hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def invite(
    *, organization: Organization, email: str, name: str, roles: Sequence[str], acting_user: User
) -> tuple[Invitation, str]:
    """Invite a person to an organization with roles; return the invitation and its secret, shown only now.

    An open invitation to the same address is taken back: one link a person.

    Raises
    ------
    InvalidInputError
        Without a role, or with one that is none.
    """
    if not roles or set(roles) - set(RoleAssignment.Role.values):
        raise InvalidInputError(_("Choose at least one role. Nobody was invited."))
    return _invite(organization, acting_user, email=email, name=name, roles=sorted(set(roles)))


@transaction.atomic
def invite_auditor(
    *, organization: Organization, consortium: Consortium, email: str, name: str, until: datetime, acting_user: User
) -> tuple[Invitation, str]:
    """Invite an auditor of a consortium; they read it from their acceptance until the day, and write nothing.

    Raises
    ------
    ForbiddenError, NotFoundError
        If the organization is no member there.
    InvalidInputError
        If the day is over, or more than three years away.
    """
    require_member(consortium.pk, organization.pk)
    if not timezone.now() < until <= timezone.now() + LONGEST_APPOINTMENT:
        raise InvalidInputError(_("Choose a day from tomorrow on, within three years. Nobody was invited."))
    return _invite(organization, acting_user, email=email, name=name, consortium=consortium, until=until)


@transaction.atomic
def revoke(*, invitation_id: UUID, organization: Organization, acting_user: User) -> Invitation:
    """Take an open invitation back; its link leads nowhere from now on.

    Raises
    ------
    NotFoundError
        If it is not the organization's.
    ConflictError
        If somebody came in by it already.
    """
    invitation = access_invitation(invitation_id, organization_id=organization.pk)
    open_ones = Invitation.objects.filter(pk=invitation.pk, accepted_at__isnull=True, revoked_at__isnull=True)
    if not open_ones.update(revoked_at=timezone.now()):
        raise ConflictError(_("This invitation is not open any more. Deactivate the person if they should not be in."))
    _record("membership.invitation.revoke", invitation, Actor.person(acting_user.pk, organization.pk))
    return invitation


def find_open(token_digest: str) -> Invitation:
    """The open invitation of a link, before anybody is known, with its organization.

    Raises
    ------
    InvitationClosedError
        If there is none, for whatever reason.
    """
    found = next(iter(Invitation.objects.raw("SELECT * FROM consilium_invitation(%s)", [token_digest])), None)
    if found is None:
        raise InvitationClosedError(_(_CLOSED))
    with act_for(organization_id=found.organization_id):
        found.organization = Organization.objects.get(pk=found.organization_id)
        if found.consortium_id:
            found.consortium = Consortium.objects.get(pk=found.consortium_id)
    return found


@transaction.atomic
def accept_as_new(*, token_digest: str, name: str, pass_phrase: str) -> User:
    """Make the invited person, with their own pass phrase, and let them in; the link is used up.

    Raises
    ------
    InvitationClosedError
        If the link leads nowhere; two uses at once are one use and this.
    PersonNotNewError
        If the address has an account; nothing is changed then, and the link stays open.
    """
    person_id = uuid4()
    try:
        with transaction.atomic():
            invitation = _redeem(token_digest, person_id, name, make_password(pass_phrase))
    except IntegrityError:
        raise PersonNotNewError(_(_NOT_NEW)) from None
    return _admit(invitation, person_id)


@transaction.atomic
def accept_as(*, token_digest: str, user: User) -> User:
    """Let somebody who is logged in, and whom the link was made for, in; the link is used up.

    Raises
    ------
    InvitationClosedError
        If the link leads nowhere, or is for another address.
    """
    return _admit(_redeem(token_digest, user.pk, user.name, None), user.pk)


def _invite(
    organization: Organization,
    acting_user: User,
    *,
    email: str,
    consortium: Consortium | None = None,
    **terms: object,
) -> tuple[Invitation, str]:
    address = email.strip().lower()
    actor = Actor.person(acting_user.pk, organization.pk)
    earlier = Invitation.objects.filter(organization=organization, email=address, consortium=consortium)
    for one in earlier.filter(accepted_at__isnull=True, revoked_at__isnull=True):
        Invitation.objects.filter(pk=one.pk, accepted_at__isnull=True).update(revoked_at=timezone.now())
        _record("membership.invitation.revoke", one, actor)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation = Invitation.objects.create(
        organization=organization,
        email=address,
        token_digest=digest_of_token(token),
        invited_by=acting_user,
        expires_at=timezone.now() + LIFETIME,
        consortium=consortium,
        **terms,
    )
    _record("membership.person.invite", invitation, actor, email=address, name=invitation.name)
    return invitation, token


def _redeem(token_digest: str, person_id: UUID, name: str, password: str | None) -> Invitation:
    """Use the link up; the database makes the person (with a password) or takes the one that there is."""
    arguments = [token_digest, person_id, name, password]
    found = list(Invitation.objects.raw("SELECT * FROM consilium_redeem_invitation(%s, %s, %s, %s)", arguments))
    if not found:
        raise InvitationClosedError(_(_CLOSED))
    return found[0]


def _admit(invitation: Invitation, person_id: UUID) -> User:
    """Record the coming in, as the person themselves, in the logs that it concerns."""
    set_identity(organization_id=invitation.organization_id, person_id=person_id)
    actor = Actor.person(person_id, invitation.organization_id)
    subject = Subject("person", str(person_id))
    _record("membership.invitation.accept", invitation, actor)
    for role in invitation.roles:
        record(
            action="membership.role.assign",
            organization_id=invitation.organization_id,
            consortium_id=None,
            actor=actor,
            subject=subject,
            data={"role": role},
        )
    if invitation.consortium_id and invitation.until:
        record(
            action="membership.auditor.appoint",
            organization_id=None,
            consortium_id=invitation.consortium_id,
            actor=actor,
            subject=subject,
            data={"until": invitation.until.isoformat()},
        )
    return User.objects.get(pk=person_id)


def _record(action: str, invitation: Invitation, actor: Actor, **personal: str) -> None:
    """Record an act on an invitation; whom it is for stands in the log as a commitment only."""
    record(
        action=action,
        organization_id=invitation.organization_id,
        consortium_id=None,
        actor=actor,
        subject=Subject("person", str(invitation.pk)),
        personal=personal,
    )


_CLOSED = gettext_noop("This link does not let anybody in: it was used, taken back, or is older than seven days.")
_NOT_NEW = gettext_noop("The link cannot set up this person.")
