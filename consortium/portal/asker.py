"""Who asks, for whom, and of which consortium: what every part of the landing page decides by."""

from dataclasses import dataclass

from django.http import HttpRequest

from consortium.membership import selectors
from consortium.membership.access import is_member
from consortium.membership.models import AuditorAppointment, Consortium, Organization, User
from consortium.membership.portal.chosen import chosen_consortium


@dataclass(frozen=True)
class Asker:
    """A person with their roles in the acting organization; `appointment` if they audit the chosen consortium."""

    user: User
    organization: Organization | None
    roles: frozenset[str]
    consortium: Consortium | None
    appointment: AuditorAppointment | None = None

    @classmethod
    def of(cls, request: HttpRequest) -> "Asker":
        user: User = request.user  # type: ignore[assignment]  # pages are for who is logged in
        organization = getattr(request, "organization", None)
        consortium = chosen_consortium(request)
        appointment = None
        if consortium is not None and (organization is None or not is_member(consortium.pk, organization.pk)):
            appointment = selectors.current_appointments().filter(user=user, consortium=consortium).first()
        return cls(user, organization, getattr(request, "roles", frozenset()), consortium, appointment)

    def has(self, *roles: str) -> bool:
        return bool(self.roles.intersection(roles))
