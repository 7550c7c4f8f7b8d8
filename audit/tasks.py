"""Doors of the workers to the evidence: the logs' upkeep, and the making of bundles.

The settings route `keep_logs` and `sweep_bundles` to the system's worker; the tenants' one may do neither.
"""

from uuid import UUID

from celery import shared_task

from audit.bundles import keeping
from audit.bundles.building import build_bundle
from audit.bundles.requests import owner_arguments
from audit.bundles.sweeping import Abandoned, abandoned_bundles


@shared_task
def keep_logs() -> int:
    """Integrate, sign and anchor what is due; beat calls this every two seconds. Return how many records there were."""
    return keeping.keep_logs().integrated


@shared_task
def make_bundle(bundle_id: str, organization_id: str, person_id: str = "") -> None:
    """Make one bundle as its organization, or as the auditor whose own it is: either sees its own rows alone."""
    organization, person = (UUID(text) if text else None for text in (organization_id, person_id))
    build_bundle(bundle_id=UUID(bundle_id), organization_id=organization, person_id=person)


@shared_task
def sweep_bundles() -> int:
    """Hand out again what nobody works on: a lost message or a killed worker delays a bundle, no more."""
    found = abandoned_bundles()
    for bundle in found:
        send_bundle(bundle)
    return len(found)


def send_bundle(bundle: Abandoned) -> None:
    """Put a bundle into the tenants' queue."""
    make_bundle.delay(*owner_arguments(bundle.id, bundle.organization_id, bundle.person_id))
