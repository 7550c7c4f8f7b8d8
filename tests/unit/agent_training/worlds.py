"""Five real sites with records and consents, one chain in memory, and a coordinator that asks as the platform does."""

import asyncio
import csv
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# Registers the handlers that the work loop calls.
import agent.training.handlers  # noqa: F401
from agent.chain import Consortium
from agent.client import OfferedConsortium
from agent.configuration import Configuration, Rules
from agent.errors import ContradictionError
from agent.folder import write_private
from agent.founding import found_site
from agent.jobs import KINDS, Job
from agent.keystore import KeyPurpose
from agent.site import Site, open_site
from agent.training.runner_process import RunnerProcess
from consent.fhir.generator import generate_consents
from consortium.kernel.digests import digest_to_bytes32, sha256_digest
from consortium.kernel.eip712 import Domain, typed_hash
from consortium.kernel.errors import NotFoundError
from consortium.kernel.identifiers import from_hex, to_hex
from consortium.kernel.manifests import CohortManifest
from consortium.kernel.secp256k1 import recover
from tests.unit.agent.worlds import ADDRESSES, CHAIN_ID, CONSORTIUM, SettableClock
from tests.unit.agent_training.chains import SharedChain
from tests.unit.federated.plans import make_rows
from tests.unit.training.plans import plan_document
from training.federated.errors import SignatureRefusedError
from training.federated.plan_document import PlanDocument, read_plan
from training.federated.secagg.coordinator import AttemptCoordinator, OpenedSum
from training.federated.secagg.deals import SignedDeal, SignedFields
from training.federated.secagg.mask_keys import MaskKeys
from training.federated.secagg.masked_vector import MaskedVector
from training.federated.secagg.opened import OpenedAttempt, open_attempt
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.releases import ReleasedShares
from training.federated.secagg.survivors import SurvivorSet
from training.federated.secagg.verification import RoundResult, make_result
from training.federated.source_digests import code_digest, runner_digest
from training.federated.strategies.federated_averaging import strategy_step
from training.federated.weights import initial_weights

NAMES = ("ConsentAnchor", "TrainingLedger", "ModelRegistry")
CONTRACTS = ADDRESSES | {name: "0x" + f"{number:040x}" for number, name in enumerate(NAMES, start=0x2222)}
SHARED = Consortium(CONSORTIUM, "Arizona Cardiac", CHAIN_ID, CONTRACTS)
ORGANIZATIONS = [uuid.UUID(int=number) for number in range(1, 6)]
PATIENTS = 60
DECISION = bytes([9]) * 32
SECONDS = 20.0
Answers = dict[uuid.UUID, Any]


@dataclass
class Blobs:
    """What a site's client does in a round; bytes are held to their digest, as the real client holds them."""

    held: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    offered: list[OfferedConsortium] = field(
        default_factory=lambda: [OfferedConsortium(CONSORTIUM, "Arizona Cardiac", CHAIN_ID, CONTRACTS, "active")]
    )

    def put(self, data: bytes) -> str:
        self.held[sha256_digest(data)] = data
        return sha256_digest(data)

    async def consortia(self) -> list[OfferedConsortium]:
        return self.offered

    async def blob(self, digest: str, *, largest: int = 0) -> bytes:
        self.fetched.append(digest)
        if digest not in self.held:
            raise NotFoundError("The platform has no such document.")
        if sha256_digest(self.held[digest]) != digest:
            raise ContradictionError(f"The platform sent other bytes than those of {digest}.")
        return self.held[digest]


class Pinned:
    """Stands in for the check of contracts, which has tests of its own on a real node."""

    def admit(self, consortium: Consortium) -> Consortium:
        return consortium


@dataclass
class World:
    """The sites by organization, and what is shared."""

    sites: dict[uuid.UUID, Site]
    chain: SharedChain
    runner: RunnerProcess
    clock: SettableClock
    blobs: Blobs = field(default_factory=Blobs)

    def site(self, number: int = 0) -> Site:
        return self.sites[ORGANIZATIONS[number]]

    def ask(self, organization: uuid.UUID, kind: str, payload: Mapping[str, Any], *, seconds: float = SECONDS) -> Any:
        """Do one piece of work as the loop does it: called off at its deadline."""
        deadline = datetime.now(UTC) + timedelta(seconds=seconds)
        wire = json.loads(json.dumps(payload))
        job = Job(str(uuid.uuid4()), kind, CONSORTIUM, 1, deadline, wire, self.blobs)  # type: ignore[arg-type]  # stands in for the client

        async def run() -> Any:
            loop = asyncio.get_running_loop()
            loop.call_later(seconds, job.canceled.set)
            return await KINDS[kind].handler(job, self.sites[organization])

        return asyncio.run(run())

    def approve(self, plan: PlanDocument) -> None:
        self.blobs.put(plan.to_bytes())
        self.chain.approved.add((plan.subject(), DECISION))

    def new_run(self, **changes: Any) -> "Run":
        """Return a run of an approved plan, open on the chain."""
        plan = make_plan(**changes)
        self.approve(plan)
        run = uuid.uuid4()
        weights = initial_weights(run, plan.training_plan.weight_count)
        self.chain.open_run(
            run,
            plan=digest_to_bytes32(plan.digest()),
            decision=DECISION,
            weights=digest_to_bytes32(self.blobs.put(weights)),
            terms=plan.terms.fields(),
        )
        return Run(self, run, plan, weights)

    def signed(self, organization: uuid.UUID) -> list[str]:
        """Return the types that a site has signed so far."""
        entries = self.sites[organization].journal.entries(limit=100_000, kinds=("signature",))
        return [str(entry.detail["primary"]) for entry in reversed(entries) if entry.outcome == "signed"]

    def restart(self, organization: uuid.UUID, **rules: Any) -> Site:
        """Open a site as a new process would; `rules` are this process's, not the file's."""
        self.sites[organization] = _open(
            self.sites[organization].folder.root, self.chain, self.runner, self.clock, rules
        )
        return self.sites[organization]

    def carry(self, organization: uuid.UUID) -> None:
        """Carry what a site signed for its consents to the chain."""
        office = self.sites[organization].consents
        for message in office.mail.waiting():
            if message.path.endswith(("/epochs", "/revocations")):
                self.chain.anchor(organization, message.path, dict(message.body))
            office.mail.settle(message, "sent")
        self.clock.moment = datetime.fromtimestamp(self.chain.time, UTC)


@dataclass
class Run:
    """A run as a coordinator leads it: asks sites, opens and closes on the chain."""

    world: World
    id: uuid.UUID
    plan: PlanDocument
    weights: bytes
    round: int = 1
    attempt: int = 1
    committed: dict[uuid.UUID, Mapping[str, Any]] = field(default_factory=dict)
    deals: dict[uuid.UUID, Mapping[str, Any]] = field(default_factory=dict)
    coordinator: AttemptCoordinator | None = None
    closing: Mapping[str, Any] | None = None
    decision: str = to_hex(DECISION)

    @property
    def place(self) -> dict[str, Any]:
        return {"run": str(self.id), "round": self.round, "attempt": self.attempt}

    def commit_payload(self, **changes: Any) -> dict[str, Any]:
        about = {"plan": self.plan.digest(), "decision": self.decision, "terms": self.plan.terms.to_wire()}
        closing = {"closing": self.closing} if self.closing else {}
        return {**self.place, **about, "weights": sha256_digest(self.weights), **closing, **changes}

    def commit(self, organizations: Iterable[uuid.UUID] = tuple(ORGANIZATIONS)) -> None:
        for organization in organizations:
            self.committed[organization] = self.world.ask(organization, "commit", self.commit_payload())

    def open(self) -> None:
        """Let the chain open the attempt with everybody who has committed."""
        commitments = [_fields(answer["commitment"]) for answer in self.committed.values()]
        if self.closing is not None:
            self.world.chain.close_attempt(self.id, from_hex(self.closing["next_weights"]))
            self.closing = None
        self.world.chain.open_attempt(self.id, commitments)

    def opened(self) -> OpenedAttempt:
        keys = [MaskKeys.from_wire(answer["mask_keys"]) for answer in self.committed.values()]
        commitments = [_fields(answer["commitment"]) for answer in self.committed.values()]
        ledger = self.world.site().training
        context = asyncio.run(ledger.ledger(self.world.blobs, CONSORTIUM)).context(_place(self))  # type: ignore[arg-type]  # stands in for the client
        terms = self.plan.terms
        return open_attempt(
            context=context,
            parameters=SecureAggregationParameters(
                n=len(keys), t=terms.threshold, c=terms.colluders, ring_bits=self.plan.training_plan.ring_bits
            ),
            weights=digest_to_bytes32(sha256_digest(self.weights)),
            committed=[(entry.organization, c["maskKeys"]) for entry, c in zip(keys, commitments, strict=True)],
            keys=keys,
        )

    def shares_payload(self) -> dict[str, Any]:
        return {**self.place, "mask_keys": [answer["mask_keys"] for answer in self.committed.values()]}

    def deal(self) -> None:
        for organization in self.committed:
            self.deals[organization] = self.world.ask(organization, "shares", self.shares_payload())

    def train_payload(self, organization: uuid.UUID) -> dict[str, Any]:
        shares = [s for deal in self.deals.values() for s in deal["shares"] if s["holder"] == str(organization)]
        deals = [deal["deal"] for deal in self.deals.values()]
        return {**self.place, "weights": sha256_digest(self.weights), "deals": deals, "shares": shares}

    def train(self, organizations: Iterable[uuid.UUID] | None = None) -> Answers:
        chosen = list(self.committed if organizations is None else organizations)
        return {one: self.world.ask(one, "train", self.train_payload(one)) for one in chosen}

    def collect(self, vectors: Mapping[uuid.UUID, bytes]) -> SurvivorSet:
        """Take the masked vectors and name the survivors."""
        opened = self.opened()
        size = self.plan.training_plan.layout().size
        self.coordinator = AttemptCoordinator(opened, size=size, verify=self._verify)
        for deal in self.deals.values():
            self.coordinator.add_deal(SignedDeal.from_wire(deal["deal"]))
        self.coordinator.close_dealing()
        for organization, data in vectors.items():
            self.coordinator.add_masked(MaskedVector(organization, data))
            self.world.blobs.put(data)
        return self.coordinator.name_survivors()

    def sign(self, survivors: SurvivorSet, organizations: Iterable[uuid.UUID]) -> None:
        assert self.coordinator is not None
        for organization in organizations:
            answer = self.world.ask(organization, "sign", {**self.place, "survivors": survivors.to_wire()})
            self.coordinator.add_signature(organization, from_hex(answer["signature"]))

    def reveal_payload(self, survivors: SurvivorSet) -> dict[str, Any]:
        assert self.coordinator is not None
        signatures = [
            {"organization": str(one), "signature": to_hex(signature)}
            for one, signature in self.coordinator.signatures.items()
        ]
        return {**self.place, "survivors": survivors.to_wire(), "signatures": signatures}

    def reveal(self, survivors: SurvivorSet, organizations: Iterable[uuid.UUID]) -> OpenedSum:
        assert self.coordinator is not None
        for organization in organizations:
            released = self.world.ask(organization, "reveal", self.reveal_payload(survivors))
            self.coordinator.add_release(ReleasedShares.from_wire(released))
        return self.coordinator.open_sum()

    def step(self, total: OpenedSum) -> bytes:
        count = len(total.secrets.seeds)
        return strategy_step(self.weights, total.total, self.plan.training_plan, survivors=count)

    def verify_payload(
        self, total: OpenedSum, result: RoundResult, vectors: Mapping[uuid.UUID, bytes]
    ) -> dict[str, Any]:
        return {
            **self.reveal_payload(total.survivors),
            "vectors": [{"organization": str(one), "digest": sha256_digest(data)} for one, data in vectors.items()],
            "opened": total.secrets.to_wire(),
            "mask_keys": [answer["mask_keys"] for answer in self.committed.values()],
            "deals": [deal["deal"] for deal in self.deals.values()],
            "weights": sha256_digest(self.weights),
            "result": {"aggregate": to_hex(result.aggregate), "next_weights": to_hex(result.next_weights)},
        }

    def open_round(self) -> None:
        self.commit()
        self.open()
        self.deal()

    def play_round(self, *, lost: Iterable[uuid.UUID] = ()) -> Mapping[uuid.UUID, bytes]:
        """Play a whole round, without closing it: the closing is what the next commit carries."""
        self.open_round()
        vectors = self.train([one for one in self.committed if one not in set(lost)])
        survivors = self.collect(vectors)
        self.sign(survivors, vectors)
        total = self.reveal(survivors, vectors)
        following = self.step(total)
        result = make_result(survivors, total.total, following)
        payload = self.verify_payload(total, result, vectors)
        signatures = {one: self.world.ask(one, "verify", payload)["signature"] for one in self.committed}
        self.closing = closing_of(self, result, signatures)
        self.world.blobs.put(following)
        self.weights = following
        return vectors

    def next_round(self) -> None:
        """Go on as `advanceRound` does: closing and opening are one transaction."""
        self.round, self.attempt = self.round + 1, 1
        self.committed, self.deals, self.coordinator = {}, {}, None

    def advance(self) -> None:
        """Close on the chain what the sites have verified."""
        self.world.chain.close_attempt(self.id, digest_to_bytes32(sha256_digest(self.weights)))
        self.closing = None
        self.next_round()

    def manifest(self, organization: uuid.UUID) -> CohortManifest:
        return self.world.sites[organization].training.runs.manifests(self.id)[-1]

    def _verify(self, organization: uuid.UUID, kind: str, fields: SignedFields, signature: bytes) -> None:
        ledger = self.world.blobs.offered[0].contracts["TrainingLedger"]
        digest = typed_hash(Domain("TrainingLedger", CHAIN_ID, ledger), kind, dict(fields))
        if recover(digest, signature) != self.world.chain.keys[organization]:
            raise SignatureRefusedError(f"{kind} is not signed by {organization}.")


def closing_of(run: Run, result: RoundResult, signatures: Mapping[uuid.UUID, str]) -> dict[str, Any]:
    return {
        **{"round": run.round, "attempt": run.attempt},
        "survivors": to_hex(result.survivors.survivors.to_bytes(32, "big")),
        "masked_digests": to_hex(result.survivors.combined_digest()),
        **{"aggregate": to_hex(result.aggregate), "next_weights": to_hex(result.next_weights)},
        "signatures": [{"organization": str(one), "signature": text} for one, text in signatures.items()],
    }


def make_plan(**changes: Any) -> PlanDocument:
    """Return a plan of this very code for the five sites."""
    own = {"consortium": str(CONSORTIUM), "code_digest": code_digest(), "runner_digest": runner_digest()}
    return read_plan(plan_document(**{**own, "conditions": [], "minimum_band": 25, **changes}))


def make_world(folder: Path, runner: RunnerProcess) -> World:
    """Found five sites with records and consents, each with one epoch anchored."""
    clock = SettableClock()
    chain = SharedChain(CONTRACTS, {}, time=int(clock.moment.timestamp()))
    chain.runners.add(digest_to_bytes32(runner_digest()))
    world = World({}, chain, runner, clock)
    for number, organization in enumerate(ORGANIZATIONS):
        root = folder / str(organization)
        configuration = Configuration(
            organization=organization,
            name=f"Hospital {number}",
            platform_url="http://127.0.0.1:9",
            chain_id=CHAIN_ID,
            chain_urls=("http://127.0.0.1:9",),
            port=0,
            rules=Rules(signatures_per_minute=100_000),
        )
        found_site(root, configuration)
        write_records(root, number)
        site = world.sites[organization] = _open(root, chain, runner, clock, {})
        site.pins.pin(CONSORTIUM, CONTRACTS)
        chain.keys[organization] = site.signer.address(KeyPurpose.SITE)
        _enrol(world, organization, number)
    return world


def write_records(root: Path, number: int) -> None:
    """Write a data set of the plan's columns, as a member keeps it."""
    data = root / "data"
    data.mkdir(mode=0o700)
    columns = [
        {"name": "procedure", "kind": "categorical", "categories": ["angioplasty", "bypass", "none"]},
        *({"name": name, "kind": kind} for name, kind in (("sex", "binary"), ("age", "numeric"), ("days", "numeric"))),
    ]
    described = {"name": "stays", "schema": {"columns": columns}, "purposes": ["DUO:0000042"], "conditions": []}
    write_private(data / "stays.json", json.dumps({**described, "rows": "stays.csv"}).encode())
    write_private(data / "stays.csv", b"")
    with (data / "stays.csv").open("w", newline="") as file:
        rows = [{"record": f"patient-{i}", **row} for i, row in enumerate(make_rows(PATIENTS, seed=number))]
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _enrol(world: World, organization: uuid.UUID, number: int) -> None:
    office = world.sites[organization].consents
    made = generate_consents([f"patient-{i}" for i in range(PATIENTS)], seed=number, made_for=world.clock.moment)
    path = office.root.parent / f"{organization}.ndjson"
    path.write_text("\n".join(json.dumps(resource) for resource in made.resources))
    office.importer.import_file(path, consortia=[CONSORTIUM])
    office.data_sets.register(office.root / "data/stays.json", consortium=CONSORTIUM)
    assert office.anchoring.advance(SHARED) == "anchored"
    world.carry(organization)
    office.anchoring.settle(SHARED)


def _open(root: Path, chain: SharedChain, runner: RunnerProcess, clock: SettableClock, rules: dict[str, Any]) -> Site:
    site = open_site(root)
    site.given_chain, site.runner, site.clock = chain, runner, clock
    site.trust = Pinned()  # type: ignore[assignment]  # stands in for the check of contracts
    own = Rules(**{"signatures_per_minute": 100_000, **rules})
    site.configuration = replace(site.configuration, rules=own)
    return site


def _place(run: Run) -> Any:
    from agent.training.payloads import Place

    return Place(run.id, run.round, run.attempt)


def _fields(commitment: Mapping[str, Any]) -> dict[str, Any]:
    return {name: from_hex(value) if isinstance(value, str) else value for name, value in commitment.items()}
