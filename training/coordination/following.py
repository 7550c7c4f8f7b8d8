"""A run's acts are found under one id: that of the request in which a person asked for it."""

from uuid import UUID

from audit.models import AuditRecord


def correlation_of_run(run_id: UUID) -> str | None:
    """Return the correlation id under which the run was asked for; None for one known from the chain alone."""
    asked = AuditRecord.objects.filter(
        action="training.run.create", subject_kind="run", subject_id=str(run_id), outcome="succeeded"
    )
    return asked.order_by("recorded_at").values_list("correlation_id", flat=True).first()
