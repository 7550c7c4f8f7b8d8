"""A platform that works with c sites: what they know together, and what they can strip with it.

Honest sites are used through their public methods alone; colluders give their secrets away.
"""

import uuid
from collections.abc import Iterable, Mapping

import numpy as np

from tests.unit.federated.federation import Federation
from training.federated.errors import SignatureRefusedError, SurvivorSetRefusedError
from training.federated.secagg.deals import ShareKind
from training.federated.secagg.masked_vector import unpack
from training.federated.secagg.masking import remove_pairwise_masks, remove_self_mask
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.prg import RingVector
from training.federated.secagg.shamir import join
from training.federated.secagg.survivors import SURVIVOR_SET, SurvivorSet, survivor_set

Shares = dict[tuple[uuid.UUID, ShareKind], dict[uuid.UUID, bytes]]


def unchecked_parameters(n: int, t: int, c: int, ring_bits: int) -> SecureAggregationParameters:
    """Parameters past the check, to show that the check is what holds the attack off."""
    parameters = object.__new__(SecureAggregationParameters)
    for name, value in (("n", n), ("t", t), ("c", c), ("ring_bits", ring_bits)):
        object.__setattr__(parameters, name, value)
    return parameters


class Coalition:
    """Platform and colluding sites, collecting shares of everybody's secrets."""

    def __init__(self, federation: Federation, colluders: Iterable[uuid.UUID]) -> None:
        self.federation = federation
        self.colluders = frozenset(colluders)
        self.honest = [o for o in federation.organizations if o not in self.colluders]
        self.shares: Shares = {}
        for colluder in self.colluders:
            for dealer, pair in federation.sites[colluder]._held.items():
                for kind in ShareKind:
                    self._keep(dealer, kind, colluder, pair.of(kind))

    def propose(self, members: Iterable[uuid.UUID]) -> SurvivorSet:
        masked = self.federation.masked
        return survivor_set(self.federation.opened, [(member, masked[member].digest()) for member in members])

    def collect(self, survivors: SurvivorSet, shown_to: Iterable[uuid.UUID]) -> None:
        """Show a set to some honest sites, add the colluders' signatures, and take what is released."""
        opened, sites = self.federation.opened, self.federation.sites
        members, signatures = survivors.members(opened), {}
        for organization in self.colluders & set(members):
            signatures[organization] = self.federation.signers.sign(
                organization, SURVIVOR_SET, survivors.fields(opened)
            )
        willing = []
        for organization in shown_to:
            try:
                signatures[organization] = sites[organization].sign_survivors(survivors)
                willing.append(organization)
            except SurvivorSetRefusedError:
                continue
        for organization in willing:
            try:
                released = sites[organization].release_shares(signatures)
            except SignatureRefusedError:
                continue
            for dealer, entry in released.shares.items():
                self._keep(dealer, entry.kind, organization, entry.share)

    def secret(self, owner: uuid.UUID, kind: ShareKind) -> bytes | None:
        """The owner's secret, if t shares of it were collected."""
        threshold = self.federation.parameters.t
        held = self.shares.get((owner, kind), {})
        points = {self.federation.opened.index(holder) + 1: share for holder, share in held.items()}
        return join(points, threshold=threshold) if len(points) >= threshold else None

    def stripped(self, target: uuid.UUID, size: int) -> RingVector:
        """The target's masked vector less every mask that the coalition can compute."""
        federation = self.federation
        opened, dealers = federation.opened, federation.sites[target]._held
        vector = unpack(federation.masked[target], size=size, ring_bits=federation.parameters.ring_bits).copy()
        seed = self.secret(target, ShareKind.SEED)
        if seed is not None:
            remove_self_mask(vector, opened.context, target, seed)
        own = self.secret(target, ShareKind.MASK_KEY)
        for other in set(dealers) - {target}:
            # the pairwise key follows from either side's mask key
            private = self._private(other)
            if private is not None:
                remove_pairwise_masks(vector, opened, other, private, [target])
            elif own is not None:
                flipped = np.negative(vector)
                remove_pairwise_masks(flipped, opened, target, own, [other])
                vector = np.negative(flipped)
        return vector

    def opens(self, target: uuid.UUID, plain: Mapping[uuid.UUID, RingVector]) -> bool:
        vector = plain[target]
        return bool(np.array_equal(self.stripped(target, vector.size), vector))

    def _private(self, organization: uuid.UUID) -> bytes | None:
        secrets = self.federation.sites[organization]._secrets
        if organization in self.colluders and secrets is not None:
            return secrets.mask_private
        return self.secret(organization, ShareKind.MASK_KEY)

    def _keep(self, dealer: uuid.UUID, kind: ShareKind, holder: uuid.UUID, share: bytes) -> None:
        self.shares.setdefault((dealer, kind), {})[holder] = share
