"""A member replaces its own key: its agent hands in what the vote key signed, and the registry's event decides."""

import uuid

import pytest

from audit.models import AuditRecord
from consortium.common.tenancy import act_for
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.membership import projections
from consortium.membership.models import OrganizationKey, User
from contracts.events import ChainEvent, ContractReference
from contracts.gateway import Gateway
from contracts.models import OutboxTransaction
from contracts.values import from_json
from tests.factories.membership import World, make_world
from tests.integration.channel.agents import FakeSite

NEW = "0x" + "12" * 20
SIGNATURE = "0x" + "ab" * 65


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


@pytest.fixture
def site(world, as_system) -> FakeSite:
    site = FakeSite(world.hospital)
    with as_system():
        site.register(world.consortium)
    site.open_session()
    return site


def rotation(world: World, **changes):
    base = {"consortium": str(world.consortium.pk), "purpose": 2, "new_key": NEW, "nonce": 0, "deadline": 2_000_000_000}
    return base | {"signature": SIGNATURE} | changes


def hand_in(site: FakeSite, body, key: str | None = None):
    return site.post("keys/rotations", body, **{"Idempotency-Key": key or str(uuid.uuid4())})


def asked(as_system) -> list[OutboxTransaction]:
    with as_system():
        return list(OutboxTransaction.objects.filter(function="rotateKey"))


def test_rotation_is_recorded_and_handed_to_the_registry_once(site, world, as_system):
    body, key = rotation(world), str(uuid.uuid4())

    answers = [hand_in(site, body, key), hand_in(site, body, key)]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(202, {"state": "recorded"})] * 2
    (call,) = asked(as_system)
    arguments = [from_json(argument) for argument in call.arguments]
    registry = ContractReference("ConsortiumRegistry", "0x" + "01" * 20)
    assert Gateway(["http://127.0.0.1:9"], chain_id=1).encode(registry, "rotateKey", *arguments)
    organization = "0x" + uuid_to_bytes32(world.hospital.pk).hex()
    assert (call.contract, call.organization_id) == ("ConsortiumRegistry", world.hospital.pk)
    assert [organization in str(call.arguments[0]), call.arguments[1:3]] == [True, [{"int": "2"}, NEW]]
    with act_for(organization_id=world.bank.pk):
        record = AuditRecord.objects.get(action="membership.key.relay")
    assert record.body["purpose"] == "site"


def test_key_that_is_known_stays_until_the_registry_says_otherwise(site, world, as_system):
    hand_in(site, rotation(world))

    assert site.get("consortia").status_code == 200
    with as_system():
        assert not OrganizationKey.objects.filter(address=NEW).exists()


@pytest.mark.parametrize(
    "changes", [{"purpose": 3}, {"purpose": 0}, {"new_key": "0x12"}, {"signature": "0x12"}, {"deadline": 0}]
)
def test_rotation_that_cannot_be_meant_is_refused_and_nothing_is_asked(site, world, as_system, changes):
    assert hand_in(site, rotation(world, **changes)).status_code == 400
    assert asked(as_system) == []


def test_consortium_of_others_is_not_there(world, as_system):
    stranger = FakeSite(world.outsider)
    with as_system():
        stranger.register(world.other_consortium)
    stranger.open_session()

    assert hand_in(stranger, rotation(world)).status_code == 404
    assert asked(as_system) == []


def test_both_keys_stay_with_the_blocks_between_which_they_held(site, world, as_system):
    with as_system():
        OrganizationKey.objects.filter(address=site.address).update(valid_from_block=5)
        projections.key_replaced(world.consortium.pk, replaced(world, site.address))

        keys = OrganizationKey.objects.filter(membership__organization=world.hospital, purpose="site")
        spans = keys.order_by("valid_from_block").values_list("address", "valid_from_block", "retired_at_block")
        assert list(spans) == [(site.address, 5, 42), (NEW, 42, None)]
    assert site.get("consortia").status_code == 401


def test_page_of_a_member_shows_the_replaced_key_with_its_blocks(site, world, as_system, client):
    with as_system():
        OrganizationKey.objects.filter(address=site.address).update(valid_from_block=5)
        projections.key_replaced(world.consortium.pk, replaced(world, site.address))
        client.force_login(User.objects.get(email="admin@bank.example"))

    page = client.get(f"/members/{world.hospital.pk}/").content.decode()

    assert "Site key, replaced" in page
    assert "from block 5 to block 42" in page
    assert site.address in page
    assert NEW in page


def replaced(world: World, previous: str) -> ChainEvent:
    return ChainEvent(
        contract="ConsortiumRegistry",
        address="0x" + "01" * 20,
        name="KeyReplaced",
        arguments={
            **{"organization": uuid_to_bytes32(world.hospital.pk), "purpose": 2, "previousKey": previous},
            **{"newKey": NEW, "recovered": False},
        },
        block_number=42,
        block_hash=bytes(32),
        block_time=1_800_000_000,
        transaction_hash=bytes([1]) * 32,
        log_index=0,
        transaction_log_index=0,
    )
