"""A validator's activation is relayed only for a node that our nodes see in sync."""

from typing import Any

import pytest
from django.db import transaction

from audit.acts import Actor
from consortium.common.tenancy import act_for
from consortium.governance.errors import UnknownKindError
from consortium.governance.models import Proposal
from consortium.governance.services import activation
from consortium.governance.services.proposals import SignedProposal, propose
from consortium.kernel.identifiers import uuid_to_bytes32
from contracts.models import ContractDeployment, OutboxTransaction
from contracts.network import watching
from contracts.network.errors import NodeNotInSyncError
from tests.factories.membership import World, make_world
from tests.unit.contracts.network.nodes import HEADERS, RecordedNode, named

SPARE = "0x5544914129cddC8cf07A0D848A0AC599dc3f6DF0"


class Registry:
    validator = SPARE

    def call(self, contract: Any, function: str, *arguments: Any) -> dict[str, Any]:
        assert (contract.name, function) == ("ConsortiumRegistry", "organization")
        return {"validator": self.validator}


@pytest.fixture
def world(as_system, settings, monkeypatch) -> World:
    settings.CHAIN_ID = 20_261
    monkeypatch.setattr(activation, "chain_from_settings", lambda **_: Registry())
    monkeypatch.setattr("contracts.network.sync.MAX_OWN_AGE_SECONDS", 10**10)
    monkeypatch.setattr("contracts.network.sync.PAUSE_SECONDS", 0)
    with as_system():
        world = make_world()
        ContractDeployment.objects.create(
            consortium_id=world.consortium.pk, name="ConsortiumRegistry", address="0x" + "12" * 20, block=1
        )
        return world


def ports(monkeypatch: pytest.MonkeyPatch, *nodes: RecordedNode) -> None:
    found = [named(node, f"127.0.0.{place}:8546") for place, node in enumerate(nodes, start=1)]
    monkeypatch.setattr(watching, "operations_from_settings", lambda: found)


def seeing() -> RecordedNode:
    return RecordedNode(head=20, answers={"eth_getBlockByHash": HEADERS[19]})


def lagging() -> RecordedNode:
    return RecordedNode(head=90, answers={"eth_getBlockByHash": HEADERS[19]})


def ask(world: World, kind: str = "activate_validator", **changes: Any) -> Proposal:
    given: dict[str, Any] = {
        "consortium_id": world.consortium.pk,
        "contract": "ConsortiumGovernor",
        "kind": kind,
        "deadline": 2_000_000_000,
        "signature": bytes(65),
        "arguments": uuid_to_bytes32(world.outsider.pk),
    }
    signed = SignedProposal(**given | changes)
    hospital = world.hospital.pk
    with act_for(organization_id=hospital), transaction.atomic():
        return propose(signed=signed, organization_id=hospital, actor=Actor.system("test"))


def nothing_was_relayed(as_system) -> bool:
    with as_system():
        return not Proposal.objects.exists() and not OutboxTransaction.objects.exists()


def test_a_node_that_is_seen_in_sync_may_be_voted_on(world, monkeypatch):
    ports(monkeypatch, seeing())
    assert ask(world).kind == "activate_validator"


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([lagging()], "71 behind"),
        ([seeing(), lagging()], "71 behind"),
        ([RecordedNode(head=20, answers={"admin_peers": []})], "not connected"),
        ([], "CHAIN_OPERATIONS_URL"),
        ([RecordedNode(head=20, answers={"eth_getBlockByHash": None})], "does not have"),
    ],
)
def test_one_that_is_not_is_refused_and_nothing_is_relayed(world, monkeypatch, as_system, nodes, said):
    ports(monkeypatch, *nodes)
    with pytest.raises(NodeNotInSyncError, match=said):
        ask(world)
    assert nothing_was_relayed(as_system)


def test_an_act_that_names_more_than_one_organization_is_refused(world, monkeypatch, as_system):
    ports(monkeypatch, seeing())
    with pytest.raises(UnknownKindError):
        ask(world, arguments=uuid_to_bytes32(world.outsider.pk) * 2)
    assert nothing_was_relayed(as_system)


def test_other_acts_ask_no_node(world, monkeypatch):
    ports(monkeypatch)
    assert ask(world, kind="deactivate_validator").kind == "deactivate_validator"


def test_on_the_development_chain_there_is_nothing_to_see(world, monkeypatch, settings):
    settings.CHAIN_ID = settings.DEVELOPMENT_CHAIN_ID
    ports(monkeypatch)
    assert ask(world).kind == "activate_validator"
