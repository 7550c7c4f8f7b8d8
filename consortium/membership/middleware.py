"""For which organization a person acts: chosen in the session, held by the database for the whole request."""

from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from consortium.common.middleware import BothWaysMiddleware
from consortium.common.tenancy import set_identity
from consortium.common.transactions import runs_without_transaction
from consortium.membership.models import Organization, RoleAssignment, User
from consortium.membership.selectors import is_deactivated

SESSION_KEY = "organization_id"


class OrganizationMiddleware(BothWaysMiddleware):
    """Set `request.organization` and `request.roles` for who is logged in."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        self._identify(request)
        response: HttpResponse = self.get_response(request)
        return response

    async def answer_later(self, request: HttpRequest) -> HttpResponse:
        await sync_to_async(self._identify, thread_sensitive=True)(request)
        response: HttpResponse = await self.get_response(request)
        return response

    @staticmethod
    def _identify(request: HttpRequest) -> None:
        organization, roles = None, frozenset[str]()
        if not runs_without_transaction(request) and isinstance(request.user, User):
            organization, roles = identify(request.user, request.session.get(SESSION_KEY))
            if organization is None and is_deactivated(request.user):
                # Deactivated since the log-in: the session ends with this request.
                logout(request)
                set_identity(organization_id=None, person_id=None)
        request.organization = organization  # type: ignore[attr-defined] # the request carries whom it acts for
        request.roles = roles  # type: ignore[attr-defined] # and what that person may do there


def identify(user: User, chosen: str | None) -> tuple[Organization | None, frozenset[str]]:
    """Act as `user` for the chosen organization, or for the first one they have a role in.

    Returns the organization (None for people without any) and the person's roles there.
    """
    set_identity(organization_id=None, person_id=user.pk)
    assignments = list(RoleAssignment.of(user).order_by("organization__name"))
    if not assignments:
        return None, frozenset()
    by_id = {str(assignment.organization_id): assignment.organization for assignment in assignments}
    organization = by_id.get(chosen or "", assignments[0].organization)
    set_identity(organization_id=UUID(str(organization.pk)), person_id=user.pk)
    return organization, frozenset(a.role for a in assignments if a.organization_id == organization.pk)
