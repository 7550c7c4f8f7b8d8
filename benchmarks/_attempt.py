"""A whole attempt of secure aggregation in one process, each step's seconds taken apart by who spends them.

Site keys and their signatures are the real ones (secp256k1 over EIP-712); the durable store of choices is a
list, for a disk is another benchmark's.
"""

import json
import secrets
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import numpy as np

from consortium.kernel.eip712 import Domain, typed_hash
from consortium.kernel.secp256k1 import address_of, recover, sign_digest
from training.federated.errors import SignatureRefusedError
from training.federated.secagg.choices import Choice
from training.federated.secagg.context import AttemptContext
from training.federated.secagg.coordinator import AttemptCoordinator
from training.federated.secagg.dealing import Deal
from training.federated.secagg.deals import SignedFields
from training.federated.secagg.mask_keys import AttemptSecrets
from training.federated.secagg.masked_vector import MaskedVector
from training.federated.secagg.opened import OpenedAttempt, open_attempt
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.prg import RING_DTYPES, RingVector
from training.federated.secagg.releases import ReleasedShares
from training.federated.secagg.site import SiteAttempt
from training.federated.secagg.verification import make_result, verify_round

T = TypeVar("T")
LEDGER = bytes(19) + b"\x07"
DOMAIN = Domain("TrainingLedger", 31337, "0x" + LEDGER.hex())
WEIGHTS = bytes(32)


def parameters_of(n: int, *, c: int = 1, ring_bits: int = 64) -> SecureAggregationParameters:
    """Return the parameters with the lowest threshold that the bound allows: most sites may be lost."""
    return SecureAggregationParameters(n, max((n + c) // 2 + 1, c + 2), c, ring_bits)


def random_vector(size: int, ring_bits: int) -> RingVector:
    """Return any vector of the ring; what it holds changes no timing."""
    dtype = RING_DTYPES[ring_bits]
    return np.frombuffer(np.random.default_rng(1).bytes(size * dtype.itemsize), dtype).copy()


def new_context() -> AttemptContext:
    return AttemptContext(DOMAIN.chain_id, LEDGER, uuid.uuid4(), 1, 1)


def open_with(parameters: SecureAggregationParameters) -> tuple[OpenedAttempt, dict[uuid.UUID, AttemptSecrets]]:
    """Return an opened attempt and every member's secrets, without the steps in between."""
    context = new_context()
    owned = {uuid.uuid4(): AttemptSecrets.generate() for _ in range(parameters.n)}
    keys = [made.public(context, organization) for organization, made in owned.items()]
    committed = [(entry.organization, entry.digest(context)) for entry in keys]
    opened = open_attempt(context=context, parameters=parameters, weights=WEIGHTS, committed=committed, keys=keys)
    return opened, owned


class TimedAttempt:
    """n sites and a coordinator; `run` plays the attempt once and leaves the seconds in `site` and `coordinator`.

    Parameters
    ----------
    parameters : SecureAggregationParameters
    vector : RingVector
        What every site masks.
    """

    def __init__(self, parameters: SecureAggregationParameters, vector: RingVector) -> None:
        self.parameters, self.vector = parameters, vector
        self.site: dict[str, float] = defaultdict(float)
        self.coordinator: dict[str, float] = defaultdict(float)
        self.bytes_beside_vector = 0
        self._keys = {uuid.uuid4(): secrets.token_bytes(32) for _ in range(parameters.n)}
        self._addresses = {organization: address_of(key) for organization, key in self._keys.items()}
        self._choices: list[Choice] = []

    def run(self) -> None:
        """Keys, deals, shares, masks, survivors, release, sum, verification: everybody takes part to the end."""
        context = new_context()
        sites = {one: self._timed("keys", partial(self._join, context, one)) for one in self._keys}
        opened = self._open(context, sites)
        deals = {one: self._timed("deal", partial(site.deal, opened)) for one, site in sites.items()}
        coordinator = AttemptCoordinator(opened, size=self.vector.size, verify=self._verify)
        with self._at_coordinator("deals"):
            for deal in deals.values():
                coordinator.add_deal(deal.public)
            coordinator.close_dealing()
        masked = self._masked(sites, deals)
        with self._at_coordinator("add"):
            for one in masked.values():
                coordinator.add_masked(one)
        releases = self._agree(coordinator, sites)
        with self._at_coordinator("release"):
            for released in releases.values():
                coordinator.add_release(released)
        with self._at_coordinator("open"):
            found = coordinator.open_sum()
        claimed = make_result(found.survivors, found.total, b"next")
        check = partial(verify_round, opened=opened, claimed=claimed, masked=masked, secrets=found.secrets)
        self._timed("verify", lambda: check(size=self.vector.size, step=lambda _total, _n: b"next"), of=1)
        self._require_right(found.total)
        self._count(deals, releases)

    def _join(self, context: AttemptContext, organization: uuid.UUID) -> SiteAttempt:
        return SiteAttempt(
            context=context,
            organization=organization,
            weights=WEIGHTS,
            sign=partial(self._sign, organization),
            verify=self._verify,
            record=self._choices.append,
        )

    def _open(self, context: AttemptContext, sites: Mapping[uuid.UUID, SiteAttempt]) -> OpenedAttempt:
        keys = [site.mask_keys() for site in sites.values()]
        committed = [(entry.organization, entry.digest(context)) for entry in keys]
        opening = partial(open_attempt, context=context, parameters=self.parameters, weights=WEIGHTS)
        return self._timed("open", lambda: opening(committed=committed, keys=keys), of=1)

    def _masked(
        self, sites: Mapping[uuid.UUID, SiteAttempt], deals: Mapping[uuid.UUID, Deal]
    ) -> dict[uuid.UUID, MaskedVector]:
        public = [deal.public for deal in deals.values()]
        for one, site in sites.items():
            shares = [share for deal in deals.values() for share in deal.shares if share.holder == one]
            self._timed("receive", partial(site.receive, public, shares))
        return {one: self._timed("mask", partial(site.mask, self.vector)) for one, site in sites.items()}

    def _agree(
        self, coordinator: AttemptCoordinator, sites: Mapping[uuid.UUID, SiteAttempt]
    ) -> dict[uuid.UUID, ReleasedShares]:
        survivors = coordinator.name_survivors()
        signed = {one: self._timed("sign", partial(site.sign_survivors, survivors)) for one, site in sites.items()}
        with self._at_coordinator("survivors"):
            for one, signature in signed.items():
                coordinator.add_signature(one, signature)
        return {
            one: self._timed("release", partial(site.release_shares, coordinator.signatures))
            for one, site in sites.items()
        }

    def _require_right(self, total: RingVector) -> None:
        """A fast wrong sum is no figure."""
        if not np.array_equal(total, self.vector * self.vector.dtype.type(self.parameters.n)):
            raise AssertionError("the opened sum is not the sum of the vectors")

    def _count(self, deals: Mapping[uuid.UUID, Deal], releases: Mapping[uuid.UUID, ReleasedShares]) -> None:
        one = next(iter(deals))
        wire = [deals[one].public.to_wire(), [share.to_wire() for share in deals[one].shares], releases[one].to_wire()]
        self.bytes_beside_vector = len(json.dumps(wire).encode())

    def _timed(self, step: str, work: Callable[[], T], *, of: int | None = None) -> T:
        """Add the work's seconds to a site's step: the mean over `of` sites, all of them by default."""
        begin = time.thread_time()
        found = work()
        self.site[step] += (time.thread_time() - begin) / (of or self.parameters.n)
        return found

    @contextmanager
    def _at_coordinator(self, step: str) -> Iterator[None]:
        begin = time.thread_time()
        yield
        self.coordinator[step] += time.thread_time() - begin

    def _sign(self, organization: uuid.UUID, kind: str, fields: SignedFields) -> bytes:
        return sign_digest(typed_hash(DOMAIN, kind, fields), self._keys[organization])

    def _verify(self, organization: uuid.UUID, kind: str, fields: SignedFields, signature: bytes) -> None:
        if recover(typed_hash(DOMAIN, kind, fields), signature) != self._addresses[organization]:
            raise SignatureRefusedError(f"{kind} is not signed by {organization}.")
