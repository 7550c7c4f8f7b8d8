"""A genesis of ours on a node: its ValidatorSource answers, and a consortium is founded on it."""

import io
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from eth_account import Account

from consortium.kernel.digests import keccak256
from contracts.deployment import deploy_consortium
from contracts.errors import TransactionRevertedError
from contracts.events import ContractReference
from contracts.founding import Founder, FoundingError
from contracts.gateway import Gateway
from contracts.models import ContractDeployment
from contracts.network.asking import NamedNode
from contracts.network.making import MadeNetwork, make_network
from contracts.network.points import State
from contracts.network.predeployed import SOURCE_ADDRESS
from contracts.network.status import Watch, network_status
from contracts.network.watching import registered_nodes
from contracts.projector import project_once
from contracts.relay import Relay
from tests.chain.anvil import Anvil
from tests.integration.contracts.test_deployment import CONTRACTS, founding, read
from tests.unit.contracts.network.files import content, document

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("system", "handlers")]
SOURCE = ContractReference("ValidatorSource", SOURCE_ADDRESS)


@pytest.fixture(scope="module")
def relay() -> Relay:
    return Relay(Account.create())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, relay: Relay) -> tuple[MadeNetwork, Path]:
    target = tmp_path_factory.mktemp("network") / "out"
    return make_network(content(document()), relays=[relay.address], target=target), target


@pytest.fixture
def node(tmp_path: Path, made: tuple[MadeNetwork, Path]) -> Iterator[Anvil]:
    """anvil takes the file as it is; what of it concerns consensus, it leaves out."""
    with Anvil(tmp_path, chain_id=20_262, genesis=made[1] / "genesis.json").start() as node:
        yield node


@pytest.fixture
def gateway(node: Anvil) -> Gateway:
    return Gateway([node.url], chain_id=node.chain_id)


def test_the_predeployed_list_answers_as_if_its_constructor_had_run(gateway, made, relay):
    addresses = sorted((n.enode.address for n in made[0].nodes), key=lambda address: int(address, 16))
    packed = b"".join(bytes(12) + bytes.fromhex(address[2:]) for address in addresses)

    assert gateway.call(SOURCE, "getValidators") == addresses
    assert gateway.call(SOURCE, "digest") == keccak256(packed)
    assert gateway.call(SOURCE, "minimum") == 4
    assert gateway.call(SOURCE, "writer") == gateway.call(SOURCE, "controller") == relay.address


def test_only_the_relay_may_write_it_and_by_the_contracts_rules(gateway, relay):
    validators = gateway.call(SOURCE, "getValidators")
    with pytest.raises(TransactionRevertedError, match="ValidatorSourceNotWriter"):
        gateway.simulate(SOURCE, "replaceValidators", validators, sender=Account.create().address)
    with pytest.raises(TransactionRevertedError, match="ValidatorSourceTooFew"):
        gateway.simulate(SOURCE, "replaceValidators", validators[1:], sender=relay.address)


def on_network(consortium_id: uuid.UUID, made: MadeNetwork):
    """A founding whose founders are the members of the network."""
    keys = [Account.create().address for _ in range(8)]
    founders = [
        Founder(uuid.uuid4(), keys[place], keys[place + 4], bytes([place + 1]) * 32, node.enode.address)
        for place, node in enumerate(made.nodes)
    ]
    return founding(consortium_id, founders=founders, source_address=SOURCE_ADDRESS)


def test_a_consortium_is_founded_on_it_and_the_relay_keeps_no_right(gateway, relay, world, made):
    wanted = on_network(world.consortium.pk, made[0])

    deployed = deploy_consortium(gateway, relay, wanted)

    assert {deployment.name for deployment in deployed} == CONTRACTS
    assert ContractDeployment.objects.get(name="ValidatorSource").address == SOURCE_ADDRESS
    assert read(gateway, "ConsortiumRegistry", "validatorSource") == SOURCE_ADDRESS
    registry = ContractDeployment.objects.get(name="ConsortiumRegistry").address
    assert gateway.call(SOURCE, "writer") == registry
    assert gateway.call(SOURCE, "getValidators") == wanted.validators
    with pytest.raises(TransactionRevertedError, match="ValidatorSourceNotController"):
        gateway.simulate(SOURCE, "setWriter", relay.address, sender=relay.address)


def test_the_registered_nodes_are_those_of_the_founders(gateway, relay, world, made):
    deploy_consortium(gateway, relay, on_network(world.consortium.pk, made[0]))
    project_once(gateway)

    assert registered_nodes(gateway) == {node.enode.address for node in made[0].nodes}


def test_founders_who_are_not_the_networks_validators_are_refused(gateway, relay, world, made):
    strangers = founding(world.consortium.pk, source_address=SOURCE_ADDRESS)

    with pytest.raises(FoundingError, match="RegistryValidatorMismatch"):
        deploy_consortium(gateway, relay, strangers)

    assert gateway.call(SOURCE, "writer") == relay.address


def test_the_genesis_file_is_json_that_names_the_chain(made):
    assert json.loads((made[1] / "genesis.json").read_text())["config"]["chainId"] == 20_262


def test_the_founding_takes_the_networks_list_by_an_option(made, relay, world, gateway, monkeypatch, tmp_path):
    command = "consortium.membership.management.commands.found_consortium"
    wanted = replace(on_network(world.consortium.pk, made[0]), source_address=None)
    for name, value in {
        "parse_founding": lambda document: document,
        "register_founding": lambda document, **_: wanted,
        "chain_from_settings": lambda: gateway,
        "relay_from_settings": lambda: relay,
    }.items():
        monkeypatch.setattr(f"{command}.{name}", value)
    document = tmp_path / "founding.json"
    document.write_text("{}")

    with pytest.raises(CommandError, match="An address is"):
        call_command("found_consortium", str(document), "--validator-source", "0x7777")
    assert not ContractDeployment.objects.exists()

    written = io.StringIO()
    call_command("found_consortium", str(document), "--validator-source", SOURCE_ADDRESS, stdout=written)
    assert json.loads(written.getvalue())["contracts"]["ValidatorSource"] == SOURCE_ADDRESS


def test_a_node_that_is_no_besu_is_read_as_far_as_it_goes(gateway):
    watch = Watch([NamedNode("anvil", gateway)])
    now = gateway.head().time + 1

    found = {point.name: point.state for point in network_status(watch, now=now)}
    assert found == {
        "node anvil": State.WELL,
        "head": State.WELL,
        "quorum": State.UNKNOWN,
        "peers": State.UNKNOWN,
    }
    development = network_status(replace(watch, is_development=True), now=now)
    assert [point.state for point in development] == [State.WELL, State.WELL, State.NOT_APPLICABLE]
