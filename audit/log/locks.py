"""One process at a time grows a log."""

from django.db import connection

from audit.models import AuditLog


def lock_log(log: AuditLog) -> None:
    """Wait for the log's advisory lock; the transaction's end gives it back, a kill too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"audit log {log.pk}"])
