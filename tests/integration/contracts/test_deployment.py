"""A consortium's real contracts on anvil: in order, resumable, and without a right left for the deployer."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account

from consortium.governance.domain.operations import timelock_operation, timelock_salt
from contracts.deployment import ADMIN_ROLE, PROPOSER_ROLE, _Deployer, deploy_consortium
from contracts.dispatcher import Dispatcher
from contracts.errors import TransactionRevertedError
from contracts.events import ContractReference
from contracts.founding import DecisionRule, Founder, Founding, FoundingError
from contracts.gateway import Gateway
from contracts.models import ChainCursor, ChainEventRecord, ContractDeployment, OutboxTransaction
from contracts.outbox import IdempotencyKeyReusedError
from contracts.projector import project_once
from contracts.relay import Relay
from tests.chain.anvil import Anvil

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("system", "handlers")]

CONTRACTS = {
    "TimelockController",
    "ValidatorSource",
    "ConsortiumRegistry",
    "ConsortiumGovernor",
    "Guardian",
    "DecisionBoard",
    "ConsentAnchor",
    "TrainingLedger",
    "ModelRegistry",
    "AuditAnchor",
    "CrossConsortiumInbox",
}
RULE = DecisionRule(quorum_bps=5_000, threshold_bps=5_001, period_seconds=60, minimum_votes=1, exclude_author=True)

RUNNER = b"\x55" * 32


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    node = Anvil(tmp_path_factory.mktemp("anvil")).start()
    yield node
    node.stop()


@pytest.fixture
def gateway(node: Anvil) -> Gateway:
    return Gateway([node.url], chain_id=node.chain_id)


def founding(consortium_id: uuid.UUID, **changes) -> Founding:
    addresses = [Account.create().address for _ in range(12)]
    founders = [
        Founder(uuid.uuid4(), addresses[index], addresses[index + 4], bytes([index + 1]) * 32, addresses[index + 8])
        for index in range(4)
    ]
    options: dict[str, Any] = {
        "founders": founders,
        "rules": [RULE] * 4,
        "parameters": {
            "witnessQuorum": 2,
            "minimumValidators": 4,
            "commitmentMaxAgeBlocks": 20,
            "asOfToleranceSeconds": 600,
            "maxAbandonedAttempts": 5,
            "admissionIntervalSeconds": 0,
        },
        "policy": b"\x77" * 32,
        "runners": [RUNNER],
        "guardian_threshold": 2,
        "voting_delay_seconds": 1,
        "voting_period_seconds": 30,
        "timelock_delay_seconds": 1,
    }
    options |= changes
    options.setdefault("guardians", [founder.organization_id for founder in options["founders"][:3]])
    return Founding(consortium_id=consortium_id, **options)


def read(gateway, name, function, *arguments):
    deployment = ContractDeployment.objects.get(name=name)
    return gateway.call(deployment.reference, function, *arguments)


def test_eleven_contracts_stand_and_the_deployer_holds_no_right(gateway, relay, world):
    wanted = founding(world.consortium.pk)

    made = deploy_consortium(gateway, relay, wanted)

    assert {deployment.name for deployment in made} == CONTRACTS
    assert all(gateway.code(deployment.address) for deployment in made)
    assert not read(gateway, "TimelockController", "hasRole", ADMIN_ROLE, relay.address)
    assert read(gateway, "ValidatorSource", "getValidators") == wanted.validators
    assert read(gateway, "ConsortiumRegistry", "isRunner", RUNNER)
    assert not read(gateway, "ConsortiumRegistry", "isRunner", b"\x56" * 32)
    assert tuple(read(gateway, "Guardian", "numbers")) == (2, 3)
    for deployment in made:
        if deployment.name == "ValidatorSource":
            with pytest.raises(TransactionRevertedError, match="ValidatorSourceNotController"):
                gateway.simulate(deployment.reference, "setWriter", relay.address, sender=relay.address)
    timelock = ContractReference("TimelockController", next(d.address for d in made if d.name == "TimelockController"))
    with pytest.raises(TransactionRevertedError, match="AccessControlUnauthorizedAccount"):
        gateway.simulate(timelock, "grantRole", PROPOSER_ROLE, relay.address, sender=relay.address)


def test_a_proposals_operation_is_named_as_the_timelock_names_it(gateway, relay, world):
    deploy_consortium(gateway, relay, founding(world.consortium.pk))
    governor = ContractDeployment.objects.get(name="ConsortiumGovernor").address
    data = bytes.fromhex("0badcafe") + bytes(32)
    call = {"targets": [relay.address], "values": [0], "calldatas": ["0x" + data.hex()], "description": "Why"}

    salt = timelock_salt(governor, "Why")

    assert timelock_operation(governor, call) == read(gateway, "Guardian", "operationOf", relay.address, data, salt)


def test_the_projector_reads_from_the_first_contract_on(gateway, relay, world):
    wanted = founding(world.consortium.pk)
    made = deploy_consortium(gateway, relay, wanted)

    project_once(gateway)

    assert ChainCursor.objects.get().first_block == made[0].block
    admitted = ChainEventRecord.objects.filter(name="OrganizationAdmitted").order_by("log_index")
    assert [event.event.arguments["voteKey"] for event in admitted] == [f.vote_key for f in wanted.founders]


def test_asked_again_nothing_is_deployed_twice(gateway, relay, world):
    wanted = founding(world.consortium.pk)
    first = deploy_consortium(gateway, relay, wanted)
    count = gateway.transaction_count(relay.address)

    second = deploy_consortium(gateway, relay, wanted)

    assert [d.address for d in second] == [d.address for d in first]
    assert gateway.transaction_count(relay.address) == count == OutboxTransaction.objects.count()


class Killed(BaseException):
    """The program ends here."""


@pytest.mark.parametrize("kill_at", [1, 2, 3, 4, 5, 6])
def test_killed_in_the_middle_it_goes_on_where_it_stopped(gateway, relay, world, monkeypatch, kill_at):
    wanted = founding(world.consortium.pk)
    passes = iter(range(1, 1_000))
    whole = Dispatcher.dispatch_once

    def dispatch_or_die(self):
        if next(passes) == kill_at:
            raise Killed
        return whole(self)

    monkeypatch.setattr(Dispatcher, "dispatch_once", dispatch_or_die)
    with pytest.raises(Killed):
        deploy_consortium(gateway, relay, wanted)
    assert ContractDeployment.objects.count() < 11

    made = deploy_consortium(gateway, relay, wanted)
    assert {deployment.name for deployment in made} == CONTRACTS
    assert OutboxTransaction.objects.count() == gateway.transaction_count(relay.address) == 17


def test_a_founding_that_the_registry_refuses_says_why_and_can_be_corrected(gateway, relay, world):
    wanted = founding(world.consortium.pk)
    refused = Founding(**(vars(wanted) | {"parameters": dict(wanted.parameters) | {"minimumValidators": 5}}))

    with pytest.raises(FoundingError, match="RegistryTooFewValidators"):
        deploy_consortium(gateway, relay, refused)
    assert not ChainCursor.objects.exists()

    assert len(deploy_consortium(gateway, relay, wanted)) == 11


def test_a_founding_cannot_be_changed_while_it_is_carried_out(gateway, relay, world):
    wanted = founding(world.consortium.pk)
    deploy_consortium(gateway, relay, wanted)

    with pytest.raises(IdempotencyKeyReusedError):
        deploy_consortium(gateway, relay, Founding(**(vars(wanted) | {"policy": b"\x78" * 32})))


def test_a_right_that_is_left_over_is_found(gateway, relay, world):
    wanted = founding(world.consortium.pk)
    deployer = _Deployer(gateway, relay, wanted)
    for wave in (deployer.foundations, deployer.registry, deployer.governed, deployer.governor, deployer.hand_over):
        deployer.carry_out(wave())

    with pytest.raises(FoundingError, match="the relay holds a role of the timelock"):
        deployer.verify()


def test_a_foreign_relay_cannot_use_a_source_that_it_does_not_control(gateway, relay, world):
    owner = deploy_consortium(gateway, relay, founding(world.consortium.pk))
    address = next(d.address for d in owner if d.name == "ValidatorSource")

    with pytest.raises(FoundingError):
        deploy_consortium(gateway, Relay(Account.create()), founding(world.other_consortium.pk, source_address=address))
