"""Organizations and the consortia they form, the people of each, their roles and keys."""

from consortium.membership.models.channel import SitePresence, WorkItem
from consortium.membership.models.consortia import Consortium, Membership, OrganizationKey
from consortium.membership.models.invitations import Invitation
from consortium.membership.models.organizations import MemberPage, Organization
from consortium.membership.models.people import AuditorAppointment, RoleAssignment, User

__all__ = [
    "AuditorAppointment",
    "Consortium",
    "Invitation",
    "MemberPage",
    "Membership",
    "Organization",
    "OrganizationKey",
    "RoleAssignment",
    "SitePresence",
    "User",
    "WorkItem",
]
