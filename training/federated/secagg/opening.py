"""From released shares to opened secrets, naming who is to blame where they do not fit."""

import uuid
from collections.abc import Mapping

from training.federated.errors import DealerBlamedError, HolderBlamedError, KeyAgreementError, ShareError
from training.federated.secagg.deals import ShareKind, SignedDeal, share_commitment
from training.federated.secagg.key_agreement import public_key
from training.federated.secagg.mask_keys import seed_commitment
from training.federated.secagg.opened import OpenedAttempt
from training.federated.secagg.releases import OpenedSecrets, ReleasedShares
from training.federated.secagg.shamir import join


def ensure_release(
    opened: OpenedAttempt,
    deals: Mapping[uuid.UUID, SignedDeal],
    survivors: tuple[uuid.UUID, ...],
    released: ReleasedShares,
) -> None:
    """Hold a release to the dealers' signed commitments.

    Raises
    ------
    HolderBlamedError
        If a share is missing, of the wrong kind, or not the one that its dealer committed to for this holder.
    """
    holder = released.holder
    if holder not in survivors or set(released.shares) != set(deals):
        raise HolderBlamedError(f"{holder} did not release one share of each dealer.", organization=holder)
    for dealer, entry in released.shares.items():
        kind = ShareKind.SEED if dealer in survivors else ShareKind.MASK_KEY
        made = share_commitment(opened.context, dealer=dealer, holder=holder, kind=kind, share=entry.share)
        if entry.kind is not kind or made != deals[dealer].commitments[holder].of(kind):
            raise HolderBlamedError(
                f"{holder} released a share of {dealer} that {dealer} never committed to; its release is not used.",
                organization=holder,
                dealer=dealer,
            )


def rebuild(
    opened: OpenedAttempt,
    deals: Mapping[uuid.UUID, SignedDeal],
    survivors: tuple[uuid.UUID, ...],
    releases: Mapping[uuid.UUID, ReleasedShares],
) -> OpenedSecrets:
    """Rebuild the survivors' seeds and the lost dealers' mask keys from checked releases.

    Raises
    ------
    DealerBlamedError
        If shares that match their commitments do not rebuild the secret that the dealer committed to.
    """
    secrets = {dealer: _rebuild_one(opened, dealer, releases) for dealer in opened.in_order(deals)}
    found = OpenedSecrets(
        {dealer: secret for dealer, secret in secrets.items() if dealer in survivors},
        {dealer: secret for dealer, secret in secrets.items() if dealer not in survivors},
    )
    wrong = mismatched(opened, found)
    if wrong:
        raise DealerBlamedError(
            f"The shares that {wrong[0]} dealt rebuild another secret than it committed to; the attempt is abandoned.",
            organization=wrong[0],
        )
    return found


def mismatched(opened: OpenedAttempt, secrets: OpenedSecrets) -> list[uuid.UUID]:
    """Return the owners whose opened secret is not the one behind their mask keys on the roster."""
    wrong = [
        owner
        for owner, seed in secrets.seeds.items()
        if seed_commitment(opened.context, owner, seed) != opened.keys_of(owner).seed_commitment
    ]
    wrong += [
        owner
        for owner, private in secrets.mask_privates.items()
        if public_key(private) != opened.keys_of(owner).mask_key
    ]
    return wrong


def _rebuild_one(opened: OpenedAttempt, dealer: uuid.UUID, releases: Mapping[uuid.UUID, ReleasedShares]) -> bytes:
    shares = {opened.index(holder) + 1: released.shares[dealer].share for holder, released in releases.items()}
    try:
        return join(shares, threshold=opened.parameters.t)
    except (ShareError, KeyAgreementError) as error:
        raise DealerBlamedError(
            f"The shares that {dealer} dealt rebuild no secret; the attempt is abandoned.", organization=dealer
        ) from error
