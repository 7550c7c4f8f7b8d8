"""Who exports evidence: a member's administrators and compliance officers for it, and a consortium's auditor."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from rest_framework.request import Request

from audit.acts import Actor
from audit.models import Bundle
from consortium.kernel.errors import NotFoundError
from consortium.membership.access import access_consortium, is_member, require_role
from consortium.membership.selectors import current_appointments

EXPORTERS = ("admin", "compliance")
_KEPT = "_audited"


@dataclass(frozen=True, slots=True)
class Exporter:
    """A person and the organization that they export for; without one an auditor, whose bundles are theirs alone."""

    person_id: UUID
    organization_id: UUID | None

    @property
    def actor(self) -> Actor:
        return Actor.person(self.person_id, self.organization_id)


def exporter_in(request: HttpRequest | Request, consortium_id: UUID) -> Exporter:
    """Return as whom the asker reads and exports a consortium's evidence.

    Raises
    ------
    NotFoundError
        If the asker does not see the consortium.
    ForbiddenError
        If they neither have a role for it in their organization nor an appointment in force.
    """
    access_consortium(consortium_id)
    if is_auditor_of(request, consortium_id):
        return Exporter(_person(request), None)
    return Exporter(_person(request), require_role(request, *EXPORTERS).pk)


def is_auditor_of(request: HttpRequest | Request, consortium_id: UUID) -> bool:
    """Whether the asker exports as the consortium's auditor: whoever may do it for a member does it for that one."""
    if consortium_id not in audited_by(request):
        return False
    organization = getattr(_http(request), "organization", None)
    return not (has_role(request) and organization is not None and is_member(consortium_id, organization.pk))


def audited_by(request: HttpRequest | Request) -> frozenset[UUID]:
    """Return the consortia of which the asker is auditor now; read once a request."""
    http = _http(request)
    found: frozenset[UUID] | None = getattr(http, _KEPT, None)
    if found is None:
        own = current_appointments().filter(user_id=_person(request))
        found = frozenset(own.values_list("consortium_id", flat=True))
        setattr(http, _KEPT, found)
    return found


def has_role(request: HttpRequest | Request) -> bool:
    """Whether the asker may export for the organization that they act for."""
    return bool(set(EXPORTERS) & getattr(_http(request), "roles", frozenset()))


def require_some_export(request: HttpRequest | Request) -> None:
    """Let in who exports anything at all; `ForbiddenError` for everybody else."""
    if not audited_by(request):
        require_role(request, *EXPORTERS)


def own_bundles(request: HttpRequest | Request) -> Q:
    """Return which bundles are the asker's: the organization's for its exporters, an auditor's own while appointed."""
    own = Q(organization_id__isnull=True, person_id=_person(request), consortium_id__in=audited_by(request))
    organization = getattr(_http(request), "organization", None)
    return own | Q(organization_id=organization.pk) if organization is not None and has_role(request) else own


def require_reader(request: HttpRequest | Request, bundle: Bundle) -> Bundle:
    """Return a bundle that the asker sees, if they may read it.

    Raises
    ------
    NotFoundError
        For an auditor's bundle that is another's, or was theirs while they were appointed.
    ForbiddenError
        For a colleague without a role for it.
    """
    if bundle.organization_id is not None:
        require_role(request, *EXPORTERS)
    elif bundle.person_id != _person(request) or bundle.consortium_id not in audited_by(request):
        raise NotFoundError("There is no such bundle of yours.")
    return bundle


def _http(request: HttpRequest | Request) -> HttpRequest:
    return request._request if isinstance(request, Request) else request


def _person(request: HttpRequest | Request) -> UUID:
    return UUID(str(request.user.pk))
