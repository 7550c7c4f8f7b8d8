"""Doors of the system's worker."""

from celery import shared_task
from django.db import transaction

from consortium.common.tenancy import act_for_all
from consortium.governance.services.progress import advance_all


@shared_task
def advance_proposals() -> int:
    """Ask for the next step of every proposal that is due; beat calls this each second."""
    with transaction.atomic(), act_for_all():
        return advance_all()
