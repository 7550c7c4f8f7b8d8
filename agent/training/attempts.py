"""The attempts that this process takes part in: in memory alone, because their secrets are."""

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.training.errors import refused
from agent.training.ledger import Ledger
from agent.training.payloads import Place
from agent.training.records import Table
from consortium.kernel.manifests import CohortManifest
from training.federated.plan_document import PlanDocument
from training.federated.secagg.deals import SignedFields
from training.federated.secagg.masked_vector import MaskedVector
from training.federated.secagg.opened import OpenedAttempt
from training.federated.secagg.site import SiteAttempt
from training.federated.secagg.survivors import SurvivorSet

_KEPT = 64


@dataclass(frozen=True, slots=True, repr=False)
class CommittedCohort:
    """One commitment of this site to the attempt, as signed, and whom it stands for."""

    fields: SignedFields
    signature: bytes
    manifest: CohortManifest
    records: frozenset[str]


@dataclass(repr=False)
class Attempt:
    """One attempt; whoever works on it holds its lock.

    Several commitments may be signed before one is opened (they age); all carry the same mask keys, and the chain
    says which one counts.
    """

    place: Place
    ledger: Ledger
    plan: PlanDocument
    plan_digest: str
    weights: bytes
    site: SiteAttempt
    table: Table
    first_block: int
    commitments: list[CommittedCohort] = field(default_factory=list)
    cohort: CommittedCohort | None = None
    opened: OpenedAttempt | None = None
    masked: MaskedVector | None = None
    survivors: SurvivorSet | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def require_opened(self) -> tuple[OpenedAttempt, CommittedCohort]:
        """Return the roster and the cohort that was accepted."""
        if self.opened is None or self.cohort is None:
            raise refused("attempt_unknown", "This site has not dealt its shares to the opened roster yet.")
        return self.opened, self.cohort


class Attempts:
    """By ledger and place; a restarted process has none of those of the one before, by intent."""

    def __init__(self) -> None:
        self._attempts: dict[tuple[str, Place], Attempt] = {}
        self._lock = threading.Lock()

    def find(self, ledger: Ledger, place: Place) -> Attempt | None:
        with self._lock:
            return self._attempts.get((ledger.address, place))

    def require(self, ledger: Ledger, place: Place) -> Attempt:
        """Return the attempt, or refuse `attempt_unknown`: its secrets died with the process that had them."""
        if (found := self.find(ledger, place)) is None:
            raise refused("attempt_unknown", "This site has no secrets of that attempt. It is back in the next one.")
        return found

    def add(self, attempt: Attempt) -> None:
        """Take an attempt in; whatever came before it in its run has ended, and its secrets go."""
        with self._lock:
            for key, known in list(self._attempts.items()):
                is_earlier = known.place.run == attempt.place.run and _order(known.place) < _order(attempt.place)
                if is_earlier or len(self._attempts) >= _KEPT:
                    self._drop(key)
            self._attempts[attempt.ledger.address, attempt.place] = attempt

    def end(self, ledger: Ledger, place: Place) -> None:
        """Destroy an attempt's secrets: its round has its result."""
        with self._lock:
            if (ledger.address, place) in self._attempts:
                self._drop((ledger.address, place))

    def of_run(self, run: uuid.UUID) -> Mapping[Place, Attempt]:
        with self._lock:
            return {known.place: known for known in self._attempts.values() if known.place.run == run}

    def _drop(self, key: tuple[str, Place]) -> None:
        self._attempts.pop(key).site.destroy()


def _order(place: Place) -> tuple[int, int]:
    return place.round, place.attempt
