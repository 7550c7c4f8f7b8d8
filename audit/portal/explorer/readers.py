"""Who may read records on pages: the roles that may at the API, and appointed auditors."""

from django.http import HttpRequest

from audit.bundles.attempts import EXPORTERS
from audit.models import AuditLog
from consortium.membership.models import AuditorAppointment, User
from consortium.membership.portal.chosen import chosen_consortium


def may_read(request: HttpRequest) -> bool:
    """Whether the reader sees records at all; policies decide which."""
    if set(EXPORTERS) & getattr(request, "roles", frozenset()):
        return True
    return isinstance(request.user, User) and AuditorAppointment.objects.filter(user=request.user).exists()


def logs_of(request: HttpRequest) -> dict[str, AuditLog]:
    """Return the logs that the reader chooses among: the chosen consortium's and the own organization's."""
    consortium = chosen_consortium(request)
    organization = getattr(request, "organization", None)
    owners = {
        "consortium": {"consortium_id": consortium.pk} if consortium else None,
        "organization": {"organization_id": organization.pk} if organization else None,
    }
    found = {name: AuditLog.objects.filter(**owner).first() for name, owner in owners.items() if owner}
    return {name: log for name, log in found.items() if log is not None}
