"""Telling whoever waits that something of a run has changed, when the change is committed."""

from typing import Final
from uuid import UUID

from django.db import connection

RUN_CHANGED: Final = "consilium_run"


def tell(run_id: UUID) -> None:
    """Wake the run's coordinator, and pages that follow it, at the present transaction's commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [RUN_CHANGED, str(run_id)])
