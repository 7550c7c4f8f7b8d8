"""Rounds of five hospitals in one process over a back end: real masks, shares and signatures; no chain, no consent."""

import time
import uuid
from pathlib import Path

from benchmarks._attempt import DOMAIN, LEDGER
from consortium.demo.hospitals import HOSPITALS, training_rows
from consortium.demo.plan import COLLUDERS, FEATURES, THRESHOLD, plan_document
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.secp256k1 import address_of, recover, sign_digest
from training.backends.base import AttemptTask, Backend, RunStart
from training.federated.algorithms.features import Row
from training.federated.errors import SignatureRefusedError
from training.federated.plan import TrainingPlan, parse_training_plan
from training.federated.plan_code import TrainTask, train
from training.federated.runner import prepare_vector
from training.federated.secagg.context import AttemptContext
from training.federated.secagg.coordinator import unmask
from training.federated.secagg.deals import SignedFields
from training.federated.secagg.opened import OpenedAttempt, open_attempt
from training.federated.secagg.opening import rebuild
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.site import SiteAttempt
from training.federated.secagg.survivors import survivor_set
from training.federated.strategies.federated_averaging import strategy_step
from training.federated.weights import initial_weights

RUN = uuid.UUID(int=7)
PLAN_SECTION = plan_document(title="bench", consortium=str(RUN), sites=[])["training"]


def hospital_rows() -> dict[uuid.UUID, list[Row]]:
    """Return the rows of the demonstration's hospitals, as its plan reads them."""
    return {
        uuid.UUID(int=place): [
            {**{name: int(row[name]) for name in FEATURES}, "los": float(row["los"])} for row in training_rows(hospital)
        ]
        for place, hospital in enumerate(HOSPITALS, start=1)
    }


class Rounds:
    """A run of the demonstration's plan over a back end, round by round.

    Attributes
    ----------
    weights : bytes
        Of the last round played, canonical safetensors.
    """

    def __init__(self, backend: Backend, folder: Path) -> None:
        self.plan: TrainingPlan = parse_training_plan(PLAN_SECTION)
        self.weights = initial_weights(RUN, self.plan.weight_count)
        self._backend, self._rows = backend, hospital_rows()
        self._keys = {site: site.bytes * 2 for site in self._rows}
        self._addresses = {site: address_of(key) for site, key in self._keys.items()}
        self._parameters = SecureAggregationParameters(len(self._rows), THRESHOLD, COLLUDERS, self.plan.ring_bits)
        backend.start(RunStart(RUN, 1, folder, tuple(self._rows), "sha256:" + "0" * 64, 1))

    @staticmethod
    def weight_count() -> int:
        """Return how many weights the plan's model has."""
        return parse_training_plan(PLAN_SECTION).weight_count

    def play(self, number: int) -> float:
        """Play one round and return its seconds."""
        begin = time.perf_counter()
        self._round(number)
        return time.perf_counter() - begin

    def _round(self, number: int) -> None:
        context = AttemptContext(DOMAIN.chain_id, LEDGER, RUN, number, 1)
        sites = {site: self._join(context, site) for site in self._rows}
        opened = self._open(context, sites)
        deals = {site: attempt.deal(opened) for site, attempt in sites.items()}
        size = self.plan.layout().size
        task = AttemptTask(number, 1, "sha256:" + "0" * 64, tuple(sites), size, self.plan.ring_bits)
        self._backend.publish(task)
        masked = {}
        for site, attempt in sites.items():
            addressed = [share for deal in deals.values() for share in deal.shares if share.holder == site]
            attempt.receive([deal.public for deal in deals.values()], addressed)
            plain = train(TrainTask(self.plan, self.weights), self._rows[site])
            masked[site] = attempt.mask(prepare_vector(self.plan, plain))
            self._backend.deliver(task, masked[site])
        survivors = survivor_set(opened, [(site, vector.digest()) for site, vector in masked.items()])
        signatures = {site: attempt.sign_survivors(survivors) for site, attempt in sites.items()}
        released = {site: attempt.release_shares(signatures) for site, attempt in sites.items()}
        members = survivors.members(opened)
        secrets = rebuild(opened, {site: deal.public for site, deal in deals.items()}, members, released)
        total = self._backend.sum(task, [masked[site] for site in members])
        unmask(total, opened, survivors, secrets)
        self.weights = strategy_step(self.weights, total, self.plan, survivors=len(members))

    def _join(self, context: AttemptContext, site: uuid.UUID) -> SiteAttempt:
        return SiteAttempt(
            context=context,
            organization=site,
            weights=bytes(32),
            sign=lambda kind, fields: sign_digest(typed_hash(DOMAIN, kind, fields), self._keys[site]),
            verify=self._verify,
            record=lambda choice: None,
        )

    def _open(self, context: AttemptContext, sites: dict[uuid.UUID, SiteAttempt]) -> OpenedAttempt:
        keys = [attempt.mask_keys() for attempt in sites.values()]
        committed = [(entry.organization, entry.digest(context)) for entry in keys]
        return open_attempt(
            context=context, parameters=self._parameters, weights=bytes(32), committed=committed, keys=keys
        )

    def _verify(self, site: uuid.UUID, kind: str, fields: SignedFields, signature: bytes) -> None:
        if recover(typed_hash(DOMAIN, kind, fields), signature) != self._addresses[site]:
            raise SignatureRefusedError(f"{kind} is not signed by {site}.")
