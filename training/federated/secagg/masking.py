"""Masks on a vector and off a sum (Bonawitz et al. 2017, "Practical Secure Aggregation", section 4).

A site adds PRG(its seed), and for every other dealer v the mask of their pairwise key, with the sign
+ if its id is the greater and - otherwise. In the sum over survivors the pairwise masks among them
cancel; the survivors' self-masks and what survivors share with lost dealers are taken away with
opened secrets.
"""

import uuid
from collections.abc import Iterable

from training.federated.secagg.context import AttemptContext
from training.federated.secagg.key_agreement import derive_key, shared_secret
from training.federated.secagg.mask_keys import AttemptSecrets
from training.federated.secagg.opened import OpenedAttempt
from training.federated.secagg.prg import RingVector, add_mask, subtract_mask


def self_mask_key(context: AttemptContext, organization: uuid.UUID, seed: bytes) -> bytes:
    """Return the key of the self-mask, 32 bytes."""
    return derive_key(seed, context.info(b"self-mask", organization, organization))


def pairwise_mask_key(opened: OpenedAttempt, owner: uuid.UUID, private: bytes, other: uuid.UUID) -> bytes:
    """Return the key that two sites share, 32 bytes, from the mask private key of either."""
    low, high = sorted((owner, other))
    info = opened.context.info(b"pairwise-mask", low, high)
    info += opened.keys_of(low).mask_key + opened.keys_of(high).mask_key
    return derive_key(shared_secret(private, opened.keys_of(other).mask_key), info)


def mask_vector(
    vector: RingVector,
    opened: OpenedAttempt,
    organization: uuid.UUID,
    secrets: AttemptSecrets,
    dealers: Iterable[uuid.UUID],
) -> None:
    """Mask a site's own vector in place, against every other dealer."""
    add_mask(vector, self_mask_key(opened.context, organization, secrets.seed))
    for other in dealers:
        if other != organization:
            key = pairwise_mask_key(opened, organization, secrets.mask_private, other)
            _signed(vector, key, is_added=organization > other)


def remove_self_mask(total: RingVector, context: AttemptContext, organization: uuid.UUID, seed: bytes) -> None:
    """Take a survivor's self-mask out of the sum, in place."""
    subtract_mask(total, self_mask_key(context, organization, seed))


def remove_pairwise_masks(
    total: RingVector, opened: OpenedAttempt, lost: uuid.UUID, private: bytes, survivors: Iterable[uuid.UUID]
) -> None:
    """Take out of the sum, in place, what each survivor added for a dealer that was lost."""
    for survivor in survivors:
        key = pairwise_mask_key(opened, lost, private, survivor)
        _signed(total, key, is_added=lost > survivor)


def _signed(vector: RingVector, key: bytes, *, is_added: bool) -> None:
    if is_added:
        add_mask(vector, key)
    else:
        subtract_mask(vector, key)
