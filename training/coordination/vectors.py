"""Masked vectors as they are stored: by digest, as the site sent them."""

from consortium.common import blobs
from training.coordination.desk import Desk
from training.federated.secagg.masked_vector import MaskedVector
from training.models import SitePart


def stored_vector(desk: Desk, part: SitePart) -> MaskedVector:
    """Return the bytes that the site sent."""
    blob = blobs.get(consortium_id=desk.consortium_id, digest=part.vector)
    return MaskedVector(part.organization_id, bytes(blob.data))
