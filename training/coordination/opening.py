"""An attempt as the chain opened it, joined with the keys that the sites sent."""

from collections.abc import Mapping
from uuid import UUID

from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import from_hex
from training.coordination.desk import Desk
from training.federated.secagg.deals import SignedDeal
from training.federated.secagg.mask_keys import MaskKeys
from training.federated.secagg.opened import OpenedAttempt, open_attempt
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.survivors import SurvivorSet
from training.models import Attempt, SitePart


def roster_parts(attempt: Attempt) -> dict[UUID, SitePart]:
    """Return the parts of the roster's sites, in the roster's order."""
    parts = {part.organization_id: part for part in attempt.parts.all()}
    return {organization: parts[organization] for organization in map(UUID, attempt.roster)}


def opened_attempt(desk: Desk, attempt: Attempt) -> OpenedAttempt:
    """Return what `RoundOpened` fixed; the keys are checked against what the chain accepted."""
    parts = roster_parts(attempt)
    terms = desk.plan.terms
    return open_attempt(
        context=desk.context(attempt),
        parameters=SecureAggregationParameters(
            n=len(parts), t=terms.threshold, c=terms.colluders, ring_bits=desk.plan.training_plan.ring_bits
        ),
        weights=digest_to_bytes32(attempt.weights),
        committed=[(site, from_hex(part.accepted_mask_keys, size_bytes=32)) for site, part in parts.items()],
        keys=[MaskKeys.from_wire(part.mask_keys) for part in parts.values()],
    )


def deals_of(parts: Mapping[UUID, SitePart]) -> dict[UUID, SignedDeal]:
    """Return the deals that are in, in the order of the parts."""
    return {site: SignedDeal.from_wire(part.deal) for site, part in parts.items() if part.deal is not None}


def survivors_of(attempt: Attempt) -> SurvivorSet:
    return SurvivorSet.from_wire(attempt.survivors)
