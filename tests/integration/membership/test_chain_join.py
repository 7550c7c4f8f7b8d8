"""`manage.py chain join`: the steps of an applicant's node, from the application on."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from consortium.membership.models import Membership
from contracts.management.subcommands import join
from contracts.models import ContractDeployment
from contracts.network import watching
from tests.factories.membership import World, make_world
from tests.unit.contracts.network.nodes import HEADERS, RECORDED, RecordedNode, named

ENODE = next(row["enode"] for row in RECORDED["peers"]["result"] if ":30307" in row["enode"])
SPARE = "0x5544914129cddC8cf07A0D848A0AC599dc3f6DF0"


class Registry:
    """A chain whose registry lists the applicant as it is told to."""

    def __init__(self) -> None:
        self.record: dict[str, Any] = {"status": 0, "isValidating": False, "validator": "0x" + "00" * 20}

    def call(self, contract: Any, function: str, *arguments: Any) -> dict[str, Any]:
        assert (contract.name, function) == ("ConsortiumRegistry", "organization")
        return self.record


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        world = make_world()
        ContractDeployment.objects.create(
            consortium_id=world.consortium.pk, name="ConsortiumRegistry", address="0x" + "12" * 20, block=1
        )
        return world


@pytest.fixture
def registry(settings, monkeypatch) -> Registry:
    settings.CHAIN_ID = 20_261
    node = RecordedNode(head=20)
    port = RecordedNode(head=20, answers={"eth_getBlockByHash": HEADERS[19], "perm_getNodesAllowlist": [ENODE]})
    monkeypatch.setattr(watching, "nodes_from_settings", lambda: [named(node)])
    monkeypatch.setattr(watching, "operations_from_settings", lambda: [named(port, "127.0.0.1:8546")])
    found = Registry()
    monkeypatch.setattr(join, "chain_from_settings", lambda: found)
    # The recording is of another day: ages are not what these tests are about.
    monkeypatch.setattr("contracts.network.sync.MAX_OWN_AGE_SECONDS", 10**10)
    return found


def applied(world: World, **changes: Any) -> None:
    Membership.objects.create(
        consortium=world.consortium, organization=world.outsider, **({"validator": SPARE, "enode": ENODE} | changes)
    )


def run(as_system, *options: str) -> tuple[int, str]:
    written = io.StringIO()
    with as_system():
        try:
            call_command("chain", "join", "outsider", "--consortium", "shared", *options, stdout=written)
        except SystemExit as end:
            return int(end.code or 0), written.getvalue()
    return 0, written.getvalue()


def test_without_an_application_that_is_the_first_step(world, registry, as_system):
    code, said = run(as_system)
    assert code == 1
    assert said.startswith("wait   applied: There is no application.")
    assert said.count("Later.") == 6


def test_each_state_of_the_registry_leads_to_its_next_step(world, registry, as_system):
    with as_system():
        applied(world)
    assert "wait   admitted" in run(as_system)[1]

    registry.record |= {"status": 1, "validator": SPARE}
    code, said = run(as_system)
    assert code == 1
    assert "well   in sync" in said
    assert "wait   activated" in said
    assert "activate_validator" in said

    registry.record |= {"isValidating": True}
    code, said = run(as_system, "--json")
    document = json.loads(said)
    assert (code, document["status"]) == (1, 1)
    assert [step["state"] for step in document["steps"]][-2:] == ["well", "waiting"]


def test_what_is_wrong_ends_with_2(world, registry, as_system):
    registry.record |= {"status": 3, "validator": SPARE}
    with as_system():
        applied(world)
    assert run(as_system)[0] == 2


def test_an_enode_may_be_given_where_the_application_names_none(world, registry, as_system):
    with as_system():
        applied(world, enode="")
    assert "names no enode" in run(as_system)[1]
    assert "well   applied" in run(as_system, "--enode", ENODE)[1]


def test_a_node_that_cannot_be_asked_is_refused(world, registry, as_system):
    with as_system():
        applied(world)
        with pytest.raises(CommandError, match="no operations port"):
            call_command("chain", "join", "outsider", "--consortium", "shared", "--node", "ws://10.0.0.9:8546")


def test_it_needs_the_systems_role(world, registry):
    with pytest.raises(CommandError, match="system's database role"):
        call_command("chain", "join", "outsider", "--consortium", "shared")


def test_a_database_that_is_away_is_told(registry, monkeypatch, db):
    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(watching, "act_for_all", away)
    with pytest.raises(CommandError, match="PostgreSQL does not answer"):
        call_command("chain", "join", "outsider", "--consortium", "shared")


def test_nothing_is_changed(world, registry, as_system):
    with as_system():
        applied(world)
        before = list(Membership.objects.values())
    run(as_system)
    with as_system():
        assert list(Membership.objects.values()) == before
