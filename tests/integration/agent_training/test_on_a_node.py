"""Five sites on a real node: the ledger takes their commitments, opens the attempt, and closes it on their signatures.

Contracts, votes, consents, commitments and the close are real; the relay submits what the members signed.
"""

import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import agent.keystore
from agent.chain import Consortium
from agent.client import OfferedConsortium
from agent.configuration import Configuration, Rules
from agent.errors import JobRefusedError
from agent.founding import found_site
from agent.keystore import KeyPurpose
from agent.people import Person, Role
from agent.policy import SigningRequest
from agent.site import Site, open_site
from agent.training.proposals import sign_proposal
from agent.training.runner_process import RunnerProcess
from consent.fhir.generator import generate_consents
from consortium.kernel.digests import digest_to_bytes32, sha256_digest
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.identifiers import from_hex, to_hex, uuid_to_bytes32
from consortium.kernel.secp256k1 import recover
from contracts.gateway import Gateway
from tests.chain.anvil import Anvil
from tests.integration.agent.networks import POLICY, Network
from tests.unit.agent.worlds import CHAIN_ID, CONSORTIUM
from tests.unit.agent_consents.worlds import write_lines
from tests.unit.agent_training.worlds import (
    ORGANIZATIONS,
    PATIENTS,
    Blobs,
    Run,
    World,
    _fields,
    make_plan,
    write_records,
)
from training.federated.plan_document import PlanDocument
from training.federated.weights import initial_weights

pytestmark = pytest.mark.services
VERA = Person("vera", "Vera", frozenset({Role.VOTER}))
_YES = 1


class RealRun(Run):
    """A run whose chain is the ledger itself."""

    network: Network

    def open(self) -> None:
        commitments = [
            {"commitment": _fields(answer["commitment"]), "signature": from_hex(answer["signature"])}
            for answer in self.committed.values()
        ]
        opening = {"round": self.round, "attempt": self.attempt, "commitments": commitments}
        run = uuid_to_bytes32(self.id)
        if self.closing is None:
            self.network.transact("TrainingLedger", "openAttempt", run, opening)
            return
        self.network.transact("TrainingLedger", "advanceRound", run, closing_fields(self.closing), opening)
        self.closing = None


def closing_fields(closing: Any) -> dict[str, Any]:
    return {
        **{"round": closing["round"], "attempt": closing["attempt"]},
        "survivors": int(closing["survivors"], 16),
        "maskedDigests": from_hex(closing["masked_digests"]),
        **{"aggregate": from_hex(closing["aggregate"]), "nextWeights": from_hex(closing["next_weights"])},
        "signatures": [
            {"organization": uuid_to_bytes32(uuid.UUID(one["organization"])), "signature": from_hex(one["signature"])}
            for one in closing["signatures"]
        ],
    }


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with Anvil(tmp_path_factory.mktemp("anvil"), chain_id=CHAIN_ID).start() as started:
        yield started


@pytest.fixture(scope="module")
def network(node: Anvil) -> Network:
    return Network(Gateway([node.url], chain_id=CHAIN_ID))


@pytest.fixture(scope="module")
def runner() -> Iterator[RunnerProcess]:
    process = RunnerProcess()
    process.start()
    yield process
    process.close()


@pytest.fixture(scope="module")
def world(
    node: Anvil, network: Network, runner: RunnerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Five members of a consortium on the node, with records and an anchored epoch each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agent.keystore, "SCRYPT_COST", 2)
        made = _make(node.url, network, tmp_path_factory.mktemp("sites"), runner)
        yield made
    for site in made.sites.values():
        site.consents.database.close()
        site.consents.vault.database.close()
        site.journal.close()


def _make(url: str, network: Network, folder: Path, runner: RunnerProcess) -> World:
    sites, members = {}, []
    for number, identity in enumerate(ORGANIZATIONS):
        root = folder / str(identity)
        configuration = Configuration(
            organization=identity,
            name=f"Hospital {number}",
            platform_url="http://127.0.0.1:9",
            chain_id=CHAIN_ID,
            chain_urls=(url,),
            port=0,
            rules=Rules(signatures_per_minute=10_000),
        )
        keys = found_site(root, configuration)
        members.append((identity, keys[KeyPurpose.VOTE], keys[KeyPurpose.SITE]))
        write_records(root, number)
        sites[identity] = open_site(root)
        sites[identity].runner = runner
    network.found(members)
    network.renounce()
    _pass_second(network)
    offered = OfferedConsortium(CONSORTIUM, "Arizona Cardiac", CHAIN_ID, network.addresses, "active")
    keys_by = {identity: site.signer.address(KeyPurpose.SITE) for identity, site in sites.items()}
    world = World(sites, _Keys(keys_by), runner, None, Blobs(offered=[offered]))  # type: ignore[arg-type]  # the chain is real here
    for number, site in enumerate(sites.values()):
        _enrol(network, site, _shared(network), number)
    return world


class _Keys:
    """What `Run` asks of the chain in memory."""

    def __init__(self, keys: dict[uuid.UUID, str]) -> None:
        self.keys = keys


def _shared(network: Network) -> Consortium:
    return Consortium(CONSORTIUM, "Arizona Cardiac", CHAIN_ID, network.addresses)


def _pass_second(network: Network) -> None:
    """Who may vote is asked of the second before."""
    born, deadline = network.gateway.head().time, time.monotonic() + 10
    while network.gateway.head().time <= born + 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        network.send(b"", network.relay.address)


def _enrol(network: Network, site: Site, shared: Consortium, number: int) -> None:
    site.trust.admit(shared)
    office = site.consents
    today = datetime.now(UTC).replace(microsecond=0)
    made = generate_consents([f"patient-{i}" for i in range(PATIENTS)], seed=number, made_for=today)
    path = write_lines(office.root.parent / f"{number}.ndjson", made.resources)
    office.importer.import_file(path, consortia=[CONSORTIUM])
    office.data_sets.register(office.root / "data/stays.json", consortium=CONSORTIUM)
    assert office.anchoring.advance(shared) == "anchored"
    for message in office.mail.waiting():
        if message.path.endswith("/epochs"):
            body = message.body
            arguments = [site.organization, body["epoch"], from_hex(body["root"]), body["band"], body["seq"]]
            network.transact("ConsentAnchor", "anchorEpoch", *arguments, body["as_of"], from_hex(body["signature"]))
        office.mail.settle(message, "sent")
    office.anchoring.settle(shared)


def _approve(network: Network, world: World, plan: Any) -> bytes:
    """Let the first member propose by its command, the others vote yes, and close."""
    shared = _shared(network)
    body = sign_proposal(world.site(), shared, plan, VERA).body
    arguments = [body["kind"], from_hex(body["subject"]), POLICY, world.site().organization]
    owners = [from_hex(owner) for owner in body["owners"]]
    signature = from_hex(body["signature"])
    network.transact("DecisionBoard", "openDecision", *arguments, owners, body["deadline"], signature)
    decision = from_hex(world.site().letters.waiting()[-1].digest)
    for site in list(world.sites.values())[1:]:
        ballot = {"decision": decision, "subject": arguments[1], "organization": site.organization, "choice": _YES}
        signed = site.signer.sign(
            SigningRequest("CastBallot", shared.domain("DecisionBoard"), ballot, CONSORTIUM, VERA)
        )
        network.transact("DecisionBoard", "castBallot", *ballot.values(), signed.signature)
    network.transact("DecisionBoard", "close", decision)
    return decision


@pytest.fixture(scope="module")
def run(network: Network, world: World) -> RealRun:
    return _new_run(network, world, make_plan(rounds=2))


def _new_run(network: Network, world: World, plan: PlanDocument) -> RealRun:
    decision = _approve(network, world, plan)
    identity = uuid.uuid4()
    weights = initial_weights(identity, plan.training_plan.weight_count)
    world.blobs.put(plan.to_bytes())
    world.blobs.put(weights)
    made = RealRun(world, identity, plan, weights)
    made.network, made.decision = network, to_hex(decision)
    arguments = [digest_to_bytes32(plan.digest()), decision, digest_to_bytes32(sha256_digest(weights))]
    network.transact("TrainingLedger", "openRun", uuid_to_bytes32(identity), *arguments, plan.terms.fields())
    return made


def test_the_ledger_opens_advances_and_finishes_a_run_of_real_sites(
    network: Network, world: World, run: RealRun
) -> None:
    tampered = world.blobs.put(run.plan.to_bytes().replace(b"Long stays", b"Wong stays"))
    with pytest.raises(JobRefusedError) as refused:
        world.ask(ORGANIZATIONS[0], "commit", run.commit_payload(plan=tampered))
    assert refused.value.reason == "plan_not_approved"

    run.play_round()
    first = run.weights
    run.next_round()
    run.play_round(lost=[ORGANIZATIONS[2]])
    closing = closing_fields(run.closing)
    network.transact("TrainingLedger", "finishRun", uuid_to_bytes32(run.id), closing)

    found = network.gateway.call(network.reference("TrainingLedger"), "runOf", uuid_to_bytes32(run.id))
    assert (found["status"], found["round"]) == (3, 2)
    assert found["weights"] == digest_to_bytes32(sha256_digest(run.weights))
    assert run.weights != first
    events = network.gateway.logs([network.reference("TrainingLedger")], 0, network.gateway.head().number)
    names = [event.name for event in events if event.arguments["run"] == uuid_to_bytes32(run.id)]
    assert names.count("CommitmentAccepted") == 10
    assert "CommitmentRefused" not in names
    model = {"run": str(run.id), "model": sha256_digest(run.weights), "card": "sha256:" + "0c" * 32}
    signature = from_hex(world.ask(ORGANIZATIONS[0], "register", model)["signature"])
    words = [digest_to_bytes32(model["model"]), uuid_to_bytes32(run.id), digest_to_bytes32(model["card"])]
    network.transact("ModelRegistry", "registerCandidate", *words, signature)


def test_commitment_of_a_replaced_key_keeps_out_its_site_alone_and_is_made_anew(network: Network, world: World) -> None:
    run = _new_run(network, world, make_plan(rounds=3))
    first, others = ORGANIZATIONS[0], set(ORGANIZATIONS[1:])
    run.commit()
    old = run.committed[first]

    _rotate_site_key(network, world.sites[first])
    world.chain.keys[first] = world.sites[first].signer.address(KeyPurpose.SITE, CONSORTIUM)
    opening = {"round": 1, "attempt": 1, "commitments": [_signed(answer) for answer in run.committed.values()]}
    arguments = (uuid_to_bytes32(run.id), opening)
    before = network.gateway.head().number
    anew = world.ask(first, "commit", run.commit_payload())
    network.transact("TrainingLedger", "openAttempt", *arguments)

    events = network.gateway.logs([network.reference("TrainingLedger")], before + 1, network.gateway.head().number)
    refused = [event.arguments["organization"] for event in events if event.name == "CommitmentRefused"]
    accepted = {event.arguments["organization"] for event in events if event.name == "CommitmentAccepted"}
    assert refused == [uuid_to_bytes32(first)]
    assert accepted == {uuid_to_bytes32(one) for one in others}
    assert anew["signature"] != old["signature"]
    fields, domain = _fields(anew["commitment"]), _shared(network).domain("TrainingLedger")
    signer = recover(typed_hash(domain, "Commitment", fields), from_hex(anew["signature"]))
    assert signer == world.sites[first].signer.address(KeyPurpose.SITE, CONSORTIUM)


def _signed(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"commitment": _fields(answer["commitment"]), "signature": from_hex(answer["signature"])}


def _rotate_site_key(network: Network, site: Site) -> None:
    site.rotation.prepare(KeyPurpose.SITE, person=VERA)
    letter = site.rotation.sign(_shared(network), KeyPurpose.SITE, person=VERA)
    assert letter is not None
    signed = [site.organization, 2, letter.body["new_key"], letter.body["deadline"]]
    network.transact("ConsortiumRegistry", "rotateKey", *signed, from_hex(letter.body["signature"]))
