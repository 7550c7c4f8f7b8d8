"""Organizations and the consortia they form, the people of each, their roles and keys."""

from consortium.membership.models.channel import SitePresence, WorkItem
from consortium.membership.models.consortia import Consortium, Membership, OrganizationKey
from consortium.membership.models.organizations import Organization
from consortium.membership.models.people import AuditorAppointment, RoleAssignment, User

__all__ = [
    "AuditorAppointment",
    "Consortium",
    "Membership",
    "Organization",
    "OrganizationKey",
    "RoleAssignment",
    "SitePresence",
    "User",
    "WorkItem",
]
