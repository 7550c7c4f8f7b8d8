"""Who may read records on pages: the roles that may at the API, and auditors as long as they are appointed."""

from django.db.models import Q
from django.http import HttpRequest

from audit.bundles.exporters import audited_by, has_role
from audit.models import AuditLog
from consortium.membership.portal.chosen import chosen_consortium


def may_read(request: HttpRequest) -> bool:
    """Whether the reader sees records at all; `readable_logs` says whose."""
    return has_role(request) or bool(audited_by(request))


def readable_logs(request: HttpRequest) -> Q:
    """Return the condition on logs: all that the policies show to a member's readers, else the audited consortia's."""
    return Q() if has_role(request) else Q(consortium_id__in=audited_by(request))


def logs_of(request: HttpRequest) -> dict[str, AuditLog]:
    """Return the logs that the reader chooses among: the chosen consortium's and the own organization's."""
    consortium = chosen_consortium(request)
    organization = getattr(request, "organization", None)
    owners = {
        "consortium": {"consortium_id": consortium.pk} if consortium else None,
        "organization": {"organization_id": organization.pk} if organization else None,
    }
    readable = AuditLog.objects.filter(readable_logs(request))
    found = {name: readable.filter(**owner).first() for name, owner in owners.items() if owner}
    return {name: log for name, log in found.items() if log is not None}
