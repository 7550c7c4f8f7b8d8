"""Reads about membership; the database's policies decide which rows there are."""

from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from consortium.membership.models import Consortium, Membership
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
        }
        for membership in own
    ]


def contracts_of(consortium_id: UUID) -> dict[str, str]:
    """Name and address of each contract."""
    found = ContractDeployment.objects.filter(consortium_id=consortium_id)
    return {deployment.name: deployment.address for deployment in found}
