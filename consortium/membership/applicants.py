"""Tells the network's room who applies with which node."""

from consortium.membership.models import Membership
from contracts.network.applicants import Applicant, finds_applicants


@finds_applicants
def applicant_named(consortium: str, organization: str) -> Applicant | None:
    """The membership of that organization there, whatever its status; for the system's role."""
    found = (
        Membership.objects.filter(consortium__slug=consortium, organization__slug=organization)
        .select_related("organization")
        .first()
    )
    if found is None:
        return None
    return Applicant(
        organization_id=found.organization_id,
        name=found.organization.name,
        consortium_id=found.consortium_id,
        validator=found.validator,
        enode=found.enode,
    )
