"""Reads about membership; the database's policies decide which rows there are."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from consortium.membership.models import (
    AuditorAppointment,
    Consortium,
    Invitation,
    MemberPage,
    Membership,
    RoleAssignment,
    User,
)
from contracts.models import ContractDeployment


def consortia_with_members() -> QuerySet[Consortium]:
    """The consortia that the acting organization sees, each with its memberships in order of name."""
    members = Membership.objects.select_related("organization").order_by("organization__name")
    return Consortium.objects.prefetch_related(Prefetch("memberships", queryset=members)).order_by("name")


def active_members(consortium_id: UUID) -> int:
    """How many organizations are active: the base of a constitutional act."""
    return Membership.objects.filter(consortium_id=consortium_id, status=Membership.Status.ACTIVE).count()


def consortia_for_agent(organization_id: UUID) -> list[dict[str, Any]]:
    """What an agent has to know of its consortia; it checks all of it on its own node."""
    own = Membership.objects.filter(organization_id=organization_id).select_related("consortium")
    return [
        {
            "id": str(membership.consortium_id),
            "name": membership.consortium.name,
            "chain_id": membership.consortium.chain_id,
            "status": membership.status,
            "policy_digest": membership.consortium.policy_digest,
            "contracts": contracts_of(membership.consortium_id),
            "nodes": nodes_of(membership.consortium_id),
        }
        for membership in own
    ]


def nodes_of(consortium_id: UUID) -> list[str]:
    """The enodes that members and applicants gave; who is let in by them, a registry decides."""
    given = Membership.objects.filter(consortium_id=consortium_id).exclude(enode="")
    return list(given.order_by("enode").values_list("enode", flat=True))


def contracts_of(consortium_id: UUID) -> dict[str, str]:
    """Name and address of each contract."""
    found = ContractDeployment.objects.filter(consortium_id=consortium_id)
    return {deployment.name: deployment.address for deployment in found}


def is_deactivated(user: User) -> bool:
    """Whether every organization of a person has deactivated them, and nothing else lets them in."""
    roles = list(RoleAssignment.objects.filter(user=user).values_list("suspended_at", flat=True))
    if user.is_operator or not roles or None in roles:
        return False
    return not current_appointments().filter(user=user).exists()


def current_appointments() -> QuerySet[AuditorAppointment]:
    """Appointments of auditors that are in force, of the consortia that the asker sees."""
    return AuditorAppointment.objects.filter(Q(until__isnull=True) | Q(until__gt=timezone.now()))


@dataclass(frozen=True)
class Colleague:
    """A person of an organization, with all their roles there."""

    user: User
    roles: tuple[RoleAssignment, ...]

    @property
    def is_suspended(self) -> bool:
        return any(role.suspended_at for role in self.roles)

    @property
    def role_codes(self) -> list[str]:
        return [role.role for role in self.roles]


def colleagues(organization_id: UUID) -> list[Colleague]:
    """The organization's people in order of name, with their roles."""
    rows = RoleAssignment.objects.filter(organization_id=organization_id).select_related("user")
    by_person: dict[User, list[RoleAssignment]] = {}
    for row in rows.order_by("user__name", "role"):
        by_person.setdefault(row.user, []).append(row)
    return [Colleague(user, tuple(roles)) for user, roles in by_person.items()]


def invitations(organization_id: UUID) -> QuerySet[Invitation]:
    """The organization's invitations, newest first."""
    found = Invitation.objects.filter(organization_id=organization_id).select_related("consortium", "invited_by")
    return found.order_by("-created_at")


def open_invitations(organization_id: UUID) -> QuerySet[Invitation]:
    """Those by which somebody may still come in."""
    return invitations(organization_id).filter(
        accepted_at__isnull=True, revoked_at__isnull=True, expires_at__gt=timezone.now()
    )


def member_page_of(organization_id: UUID, place: str = "") -> str:
    """Where the organization's own people reach their agent's page, or a place on it; empty if nobody has said.

    Places are the addresses of `agent.member_page.application`: `ballots/PROPOSAL`, `plans/DIGEST`.
    """
    found = MemberPage.objects.filter(organization_id=organization_id).first()
    return f"{found.address.rstrip('/')}/{place}" if found else ""
