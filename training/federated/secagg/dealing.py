"""How a site cuts its two secrets for the roster."""

import uuid
from dataclasses import dataclass

from training.federated.secagg.deals import SHARE_DEAL, Sign, SignedDeal, deal_fields
from training.federated.secagg.mask_keys import AttemptSecrets
from training.federated.secagg.opened import OpenedAttempt
from training.federated.secagg.shamir import split
from training.federated.secagg.share_transport import EncryptedShare, SharePair, seal


@dataclass(frozen=True, slots=True)
class Deal:
    """What leaves a dealer: the signed public part and one encrypted share a holder, itself left out."""

    public: SignedDeal
    shares: tuple[EncryptedShare, ...]


def cut(opened: OpenedAttempt, secrets: AttemptSecrets) -> dict[uuid.UUID, SharePair]:
    """Return a fresh share pair a member, threshold t; a member's point is its place on the roster plus one."""
    points = range(1, len(opened.roster) + 1)
    seeds = split(secrets.seed, threshold=opened.parameters.t, holders=points)
    keys = split(secrets.mask_private, threshold=opened.parameters.t, holders=points)
    return {holder: SharePair(seeds[x], keys[x]) for x, holder in zip(points, opened.roster, strict=True)}


def make_deal(
    opened: OpenedAttempt, dealer: uuid.UUID, secrets: AttemptSecrets, pairs: dict[uuid.UUID, SharePair], sign: Sign
) -> Deal:
    """Commit to every share, sign the commitments, and encrypt each pair for its holder."""
    commitments = {holder: pair.commitments(opened, dealer, holder) for holder, pair in pairs.items()}
    fields = deal_fields(opened, SignedDeal(dealer, commitments, b""))
    public = SignedDeal(dealer, commitments, sign(SHARE_DEAL, fields))
    sealed = tuple(
        seal(opened, dealer, holder, secrets.transport_private, pair)
        for holder, pair in pairs.items()
        if holder != dealer
    )
    return Deal(public, sealed)
