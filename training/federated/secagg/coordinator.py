"""The platform's side of one attempt: collect, name the survivors, add, unmask. It holds no secret."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from training.federated.errors import (
    AlreadyChosenError,
    AttemptAbandonedError,
    OutOfOrderError,
    SignatureRefusedError,
)
from training.federated.secagg.deals import SignedDeal, Verify, ensure_deal
from training.federated.secagg.masked_vector import MaskedVector, unpack
from training.federated.secagg.masking import remove_pairwise_masks, remove_self_mask
from training.federated.secagg.opened import OpenedAttempt
from training.federated.secagg.opening import ensure_release, rebuild
from training.federated.secagg.prg import RING_DTYPES, RingVector
from training.federated.secagg.releases import OpenedSecrets, ReleasedShares
from training.federated.secagg.survivors import SURVIVOR_SET, SurvivorSet, survivor_set


@dataclass(frozen=True, slots=True)
class OpenedSum:
    """The unmasked sum of the survivors' vectors and what opened it."""

    total: RingVector
    survivors: SurvivorSet
    secrets: OpenedSecrets


class AttemptCoordinator:
    """Deals, then masked vectors, then signatures, then releases; each may arrive twice and in any order.

    Everything given to it is public or encrypted, so a coordinator that resumes is built anew from the
    stored messages. Memory is one vector, however many sites there are.

    Parameters
    ----------
    opened : OpenedAttempt
    size : int
        Coordinates of a vector.
    verify : Verify
    """

    def __init__(self, opened: OpenedAttempt, *, size: int, verify: Verify) -> None:
        self._opened = opened
        self._size = size
        self._verify = verify
        self._deals: dict[uuid.UUID, SignedDeal] = {}
        self._dealing_closed = False
        self._total: RingVector = np.zeros(size, RING_DTYPES[opened.parameters.ring_bits])
        self._digests: dict[uuid.UUID, bytes] = {}
        self._survivors: SurvivorSet | None = None
        self._signatures: dict[uuid.UUID, bytes] = {}
        self._releases: dict[uuid.UUID, ReleasedShares] = {}

    @property
    def deals(self) -> Mapping[uuid.UUID, SignedDeal]:
        """The deals so far, by dealer."""
        return self._deals

    @property
    def signatures(self) -> Mapping[uuid.UUID, bytes]:
        """Valid signatures on the survivor set so far."""
        return self._signatures

    @property
    def is_revealed(self) -> bool:
        """Whether a site has released a share: the attempt is then never repeated."""
        return bool(self._releases)

    def add_deal(self, deal: SignedDeal) -> None:
        """Take a dealer's public part; a new one is refused after `close_dealing`."""
        known = self._deals.get(deal.dealer)
        if known is not None and known != deal:
            raise AlreadyChosenError(f"{deal.dealer} dealt twice and differently.")
        if known is None and self._dealing_closed:
            raise OutOfOrderError(f"The deal of {deal.dealer} came after the dealers were fixed; it is left out.")
        ensure_deal(self._opened, deal, self._verify)
        self._deals[deal.dealer] = deal

    def close_dealing(self) -> tuple[SignedDeal, ...]:
        """Fix the dealers: every site receives shares of exactly these before it masks.

        Raises
        ------
        AttemptAbandonedError
            If they are fewer than t; nothing has been revealed.
        """
        if len(self._deals) < self._opened.parameters.t:
            raise AttemptAbandonedError(
                f"{len(self._deals)} dealers are fewer than t={self._opened.parameters.t}; the attempt is abandoned."
            )
        self._dealing_closed = True
        return tuple(self._deals[dealer] for dealer in self._opened.in_order(self._deals))

    def add_masked(self, masked: MaskedVector) -> None:
        """Add a masked vector to the sum, once a site; the same bytes again change nothing."""
        known = self._digests.get(masked.organization)
        if known is not None and known != masked.digest():
            raise AlreadyChosenError(f"{masked.organization} sent other bytes than before in this attempt.")
        if known is not None:
            return
        if not self._dealing_closed:
            raise OutOfOrderError("The dealers are fixed before masked vectors are taken.")
        if self._survivors is not None or masked.organization not in self._deals:
            raise OutOfOrderError(
                f"The vector of {masked.organization} came too late or without a deal; it is left out."
            )
        vector = unpack(masked, size=self._size, ring_bits=self._opened.parameters.ring_bits)
        np.add(self._total, vector, out=self._total)
        self._digests[masked.organization] = masked.digest()

    def name_survivors(self) -> SurvivorSet:
        """Fix the survivor set: everyone whose masked vector is in.

        Raises
        ------
        AttemptAbandonedError
            If they are fewer than t; nothing has been revealed.
        """
        if self._survivors is None:
            if len(self._digests) < self._opened.parameters.t:
                raise AttemptAbandonedError(
                    f"{len(self._digests)} masked vectors are fewer than t={self._opened.parameters.t}; "
                    "the attempt is abandoned and nothing was revealed."
                )
            self._survivors = survivor_set(self._opened, list(self._digests.items()))
        return self._survivors

    def add_signature(self, organization: uuid.UUID, signature: bytes) -> None:
        """Take a survivor's signature on the named set; `SignatureRefusedError` if it is not one."""
        survivors = self._named()
        if organization not in survivors.members(self._opened):
            raise SignatureRefusedError(f"{organization} is not a survivor; its signature is not counted.")
        self._verify(organization, SURVIVOR_SET, survivors.fields(self._opened), signature)
        self._signatures[organization] = signature

    def add_release(self, released: ReleasedShares) -> None:
        """Take a survivor's shares; `HolderBlamedError` if they are not what the dealers committed to."""
        members = self._named().members(self._opened)
        ensure_release(self._opened, self._deals, members, released)
        self._releases[released.holder] = released

    def open_sum(self) -> OpenedSum:
        """Rebuild the secrets and take the masks out of the sum.

        Raises
        ------
        AttemptAbandonedError
            If fewer than t sites released usable shares.
        DealerBlamedError
            If a dealer's shares do not rebuild what it committed to.
        """
        survivors = self._named()
        threshold = self._opened.parameters.t
        if len(self._releases) < threshold:
            raise AttemptAbandonedError(f"{len(self._releases)} usable releases are fewer than t={threshold}.")
        secrets = rebuild(self._opened, self._deals, survivors.members(self._opened), self._releases)
        total = self._total.copy()
        unmask(total, self._opened, survivors, secrets)
        return OpenedSum(total, survivors, secrets)

    def _named(self) -> SurvivorSet:
        if self._survivors is None:
            raise OutOfOrderError("The survivor set is named before signatures and shares are taken.")
        return self._survivors


def unmask(total: RingVector, opened: OpenedAttempt, survivors: SurvivorSet, secrets: OpenedSecrets) -> None:
    """Take the survivors' self-masks and their masks with lost dealers out of the sum, in place."""
    members = survivors.members(opened)
    for owner in members:
        remove_self_mask(total, opened.context, owner, secrets.seeds[owner])
    for lost in opened.in_order(secrets.mask_privates):
        remove_pairwise_masks(total, opened, lost, secrets.mask_privates[lost], members)
