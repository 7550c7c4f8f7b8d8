"""The referee holds every hospital's rows, and computes a run again without masks, platform or chain.

It takes from the chain whose updates were in each round's sum, and nothing else. What it computes has to be, bit for
bit, what the run wrote on the chain: that is what "the same weights" means for a run that was disturbed.
"""

import hashlib
from collections.abc import Iterator, Sequence
from uuid import UUID

import numpy as np

from agent.folder import SiteFolder
from agent.training.runs_folder import RunsFolder
from consent.fhir.pseudonyms import pseudonym
from consortium.demo.consents import consents_of
from consortium.demo.hospitals import training_rows
from consortium.demo.plan import FEATURES
from consortium.demo.sites import Site
from consortium.kernel.identifiers import bytes32_to_uuid
from contracts.events import ChainEvent
from tests.e2e.system import System, named
from training.federated.algorithms.features import Row
from training.federated.plan import parse_training_plan
from training.federated.plan_code import TrainTask, train
from training.federated.runner import prepare_vector
from training.federated.secagg.verification import aggregate_digest
from training.federated.strategies.federated_averaging import strategy_step
from training.federated.weights import initial_weights

Digests = tuple[bytes, bytes]


def recompute(system: System, run: str, events: Sequence[ChainEvent]) -> list[Digests]:
    """Aggregate and next weights of each round, as they must be."""
    plan = parse_training_plan(system.plan["document"]["training"])
    rows = {UUID(site.organization_id): rows_of(system, site) for site in system.world.sites}
    weights = initial_weights(UUID(run), plan.weight_count)
    found = []
    for survivors in _survivors(events):
        vectors = [prepare_vector(plan, train(TrainTask(plan, weights), rows[site])) for site in survivors]
        total = np.add.reduce(vectors, dtype=vectors[0].dtype)
        weights = strategy_step(weights, total, plan, survivors=len(survivors))
        found.append((aggregate_digest(total), hashlib.sha256(weights).digest()))
    return found


def on_chain(events: Sequence[ChainEvent]) -> list[Digests]:
    """Aggregate and next weights of each round, as the ledger closed it."""
    return [(event.arguments["aggregate"], event.arguments["nextWeights"]) for event in named(events, "RoundClosed")]


def rows_of(system: System, site: Site) -> list[Row]:
    """The rows of those patients of a hospital who permit research and have not withdrawn, in the table's order."""
    permitting = consents_of(site.hospital).permitting() - _withdrawn(system, site)
    return [_typed(row) for row in training_rows(site.hospital) if row["record"] in permitting]


def counts_of(site: Site, run: str) -> set[int]:
    """How many subjects the hospital's own manifests hold, over all rounds of a run."""
    manifests = RunsFolder(SiteFolder(site.folder)).manifests(UUID(run))
    return {manifest.count for manifest in manifests}


def _withdrawn(system: System, site: Site) -> set[str]:
    key = bytes.fromhex((site.folder / "pseudonym.key").read_text())
    query = "SELECT pseudonym FROM consent_withdrawal WHERE organization_id = %s"
    gone = {row["pseudonym"] for row in system.rows(query, site.organization_id)}
    return {row["record"] for row in training_rows(site.hospital) if pseudonym(key, row["record"]) in gone}


def _typed(row: dict[str, str]) -> Row:
    return {**{name: int(row[name]) for name in FEATURES}, "los": float(row["los"])}


def _survivors(events: Sequence[ChainEvent]) -> Iterator[list[UUID]]:
    rosters: dict[object, list[UUID]] = {}
    for event in events:
        place = (event.arguments.get("round"), event.arguments.get("attempt"))
        if event.name == "RoundOpened":
            rosters[place] = [bytes32_to_uuid(member) for member in event.arguments["roster"]]
        elif event.name == "RoundClosed":
            yield _members(rosters[place], event)


def _members(roster: list[UUID], closed: ChainEvent) -> list[UUID]:
    return [site for place, site in enumerate(roster) if closed.arguments["survivors"] >> place & 1]
