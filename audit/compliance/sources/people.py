"""Members of the consortium, and who of the exporter's people reads its log."""

from uuid import UUID

from django.db.models import Count

from audit.compliance.evidence import MemberFacts
from consortium.membership.models import Membership, RoleAssignment

_REVIEWING = (RoleAssignment.Role.ADMIN, RoleAssignment.Role.COMPLIANCE)


def member_facts(consortium_id: UUID) -> list[MemberFacts]:
    """Return all that are or were members, in order of name."""
    members = Membership.objects.filter(consortium_id=consortium_id).exclude(status=Membership.Status.APPLICANT)
    return [
        MemberFacts(str(one.organization_id), one.organization.name, one.organization.country, one.status)
        for one in members.select_related("organization").order_by("organization__name", "organization_id")
    ]


def reviewers(organization_id: UUID | None) -> dict[str, int]:
    """Return how many people of an organization may read the log, by role; of none for an auditor."""
    if organization_id is None:
        return {}
    assigned = RoleAssignment.objects.filter(organization_id=organization_id, role__in=_REVIEWING)
    return dict(assigned.values_list("role").annotate(Count("pk")))
