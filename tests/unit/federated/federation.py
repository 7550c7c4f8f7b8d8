"""A federation in one process: sites with signing keys of their own, and the messages between them."""

import uuid
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consortium.kernel.canonical import canonical_json
from training.federated.errors import SignatureRefusedError
from training.federated.secagg.choices import Choice
from training.federated.secagg.context import AttemptContext
from training.federated.secagg.coordinator import AttemptCoordinator, OpenedSum
from training.federated.secagg.dealing import Deal
from training.federated.secagg.deals import SignedFields
from training.federated.secagg.mask_keys import MaskKeys
from training.federated.secagg.masked_vector import MaskedVector
from training.federated.secagg.opened import OpenedAttempt, open_attempt
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.prg import RING_DTYPES, RingVector
from training.federated.secagg.site import SiteAttempt
from training.federated.secagg.survivors import SurvivorSet

WEIGHTS = bytes(range(32))
RUN = uuid.UUID("2b1c8f1e-5d0b-4a57-9a52-0a3f3f6f7a11")


def make_context(*, attempt: int = 1, round_number: int = 1, chain_id: int = 31337) -> AttemptContext:
    return AttemptContext(chain_id, bytes(19) + b"\x07", RUN, round_number, attempt)


def message(kind: str, fields: SignedFields) -> bytes:
    document = {key: value.hex() if isinstance(value, bytes) else hex(value) for key, value in fields.items()}
    return canonical_json({"kind": kind, "fields": document})


class Signers:
    """One Ed25519 key a site, in the place of the site keys on the chain."""

    def __init__(self, organizations: Iterable[uuid.UUID]) -> None:
        self._keys = {organization: Ed25519PrivateKey.generate() for organization in organizations}

    def sign(self, organization: uuid.UUID, kind: str, fields: SignedFields) -> bytes:
        return self._keys[organization].sign(message(kind, fields))

    def verify(self, organization: uuid.UUID, kind: str, fields: SignedFields, signature: bytes) -> None:
        try:
            self._keys[organization].public_key().verify(signature, message(kind, fields))
        except InvalidSignature as error:
            raise SignatureRefusedError(f"not {organization}'s signature over this {kind}") from error


class ChoiceLog:
    """A durable store of choices: keeps the first under each key and refuses another."""

    def __init__(self) -> None:
        self.choices: list[Choice] = []

    def __call__(self, choice: Choice) -> None:
        known = [kept for kept in self.choices if kept.key() == choice.key()]
        if known and known[0] != choice:
            raise OSError("another choice is on record")
        self.choices += [] if known else [choice]


class Federation:
    """n sites that have published mask keys and opened one attempt together."""

    def __init__(
        self,
        parameters: SecureAggregationParameters,
        *,
        context: AttemptContext | None = None,
        organizations: Sequence[uuid.UUID] | None = None,
        signers: Signers | None = None,
    ) -> None:
        self.parameters = parameters
        self.context = context or make_context()
        self.organizations = list(organizations or [uuid.uuid4() for _ in range(parameters.n)])
        self.signers = signers or Signers(self.organizations)
        self.logs = {organization: ChoiceLog() for organization in self.organizations}
        self.sites = {organization: self.make_site(organization) for organization in self.organizations}
        self.opened = self.open_with([site.mask_keys() for site in self.sites.values()])
        self.deals: dict[uuid.UUID, Deal] = {}
        self.masked: dict[uuid.UUID, MaskedVector] = {}

    def make_site(self, organization: uuid.UUID) -> SiteAttempt:
        return SiteAttempt(
            context=self.context,
            organization=organization,
            weights=WEIGHTS,
            sign=lambda kind, fields: self.signers.sign(organization, kind, fields),
            verify=self.signers.verify,
            record=self.logs[organization],
        )

    def open_with(self, keys: Sequence[MaskKeys]) -> OpenedAttempt:
        committed = [(entry.organization, entry.digest(self.context)) for entry in keys]
        return open_attempt(
            context=self.context, parameters=self.parameters, weights=WEIGHTS, committed=committed, keys=keys
        )

    def deal(self, dealers: Iterable[uuid.UUID] | None = None) -> None:
        chosen = self.organizations if dealers is None else dealers
        self.deals = {dealer: self.sites[dealer].deal(self.opened) for dealer in chosen}

    def deliver(self, holder: uuid.UUID, dealers: Iterable[uuid.UUID] | None = None) -> None:
        chosen = [self.deals[dealer] for dealer in (self.deals if dealers is None else dealers)]
        shares = [share for deal in chosen for share in deal.shares if share.holder == holder]
        self.sites[holder].receive([deal.public for deal in chosen], shares)

    def mask(self, vectors: Mapping[uuid.UUID, RingVector]) -> None:
        for organization, vector in vectors.items():
            self.masked[organization] = self.sites[organization].mask(vector)

    def coordinator(self) -> AttemptCoordinator:
        size = self.opened_size()
        coordinator = AttemptCoordinator(self.opened, size=size, verify=self.signers.verify)
        for deal in self.deals.values():
            coordinator.add_deal(deal.public)
        coordinator.close_dealing()
        for masked in self.masked.values():
            coordinator.add_masked(masked)
        return coordinator

    def opened_size(self) -> int:
        item = RING_DTYPES[self.parameters.ring_bits].itemsize
        header = int.from_bytes(next(iter(self.masked.values())).data[:8], "little")
        return (len(next(iter(self.masked.values())).data) - 8 - header) // item

    def agree(self, coordinator: AttemptCoordinator) -> SurvivorSet:
        survivors = coordinator.name_survivors()
        for member in survivors.members(self.opened):
            coordinator.add_signature(member, self.sites[member].sign_survivors(survivors))
        return survivors

    def run_until_masked(self, vectors: Mapping[uuid.UUID, RingVector]) -> AttemptCoordinator:
        """Deal by everybody, delivery to those who have a vector, and their masked vectors at the coordinator."""
        self.deal()
        for organization in vectors:
            self.deliver(organization)
        self.mask(vectors)
        return self.coordinator()

    def run(self, vectors: Mapping[uuid.UUID, RingVector], *, releasing: int | None = None) -> OpenedSum:
        """The whole attempt; sites without a vector are lost after dealing, `releasing` survivors release."""
        coordinator = self.run_until_masked(vectors)
        members = self.agree(coordinator).members(self.opened)
        for member in members[:releasing]:
            coordinator.add_release(self.sites[member].release_shares(coordinator.signatures))
        return coordinator.open_sum()


def random_vectors(federation: Federation, *, size: int, seed: int, lost: int = 0) -> dict[uuid.UUID, RingVector]:
    """One vector over the whole ring a site that is not lost."""
    dtype = RING_DTYPES[federation.parameters.ring_bits]
    generator = np.random.default_rng(seed)
    remaining = federation.organizations[lost:]
    return {organization: np.frombuffer(generator.bytes(size * dtype.itemsize), dtype) for organization in remaining}


def plain_sum(vectors: Mapping[uuid.UUID, RingVector]) -> RingVector:
    total = np.zeros_like(next(iter(vectors.values())))
    for vector in vectors.values():
        total += vector
    return total
