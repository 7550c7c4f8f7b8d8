"""Applying: once, for oneself, by an administrator, and twice sent is once done."""

import uuid

import pytest
from django.test import Client
from rest_framework.test import APIClient

from audit.models import AuditRecord
from consortium.common.tenancy import act_for
from consortium.membership.models import Membership, RoleAssignment, User
from consortium.membership.selectors import consortia_for_agent
from contracts.network.enodes import address_of_node, public_key_of
from tests.factories.membership import World, make_user, make_world
from tests.integration.membership.test_tokens import claims, sign

KEYS = {"vote_key": "0x" + "11" * 20, "site_key": "0x" + "22" * 20, "validator": "0x" + "33" * 20}


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


def api(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {sign(claims(user))}")
    return client


@pytest.fixture
def admin(world, as_system) -> User:
    with as_system():
        return User.objects.get(email="admin@outsider.example")


def send(client: APIClient, slug: str = "shared", key: str | None = None, body=None):
    headers = {"Idempotency-Key": key or str(uuid.uuid4())}
    return client.post(f"/api/v1/consortia/{slug}/applications", body or KEYS, format="json", headers=headers)


def memberships(as_system, world) -> int:
    with as_system():
        return Membership.objects.filter(consortium=world.consortium, organization=world.outsider).count()


def test_an_administrator_applies_and_it_is_recorded_in_the_applicants_own_log(world, admin, as_system):
    answer = send(api(admin))

    assert answer.status_code == 201
    assert answer.json()["status"] == "applicant"
    with act_for(organization_id=world.outsider.pk):
        assert AuditRecord.objects.filter(action="membership.organization.apply").count() == 1
    with act_for(organization_id=world.hospital.pk):
        assert AuditRecord.objects.filter(action="membership.organization.apply").count() == 0


def test_the_same_request_again_gets_the_same_answer_and_changes_nothing(world, admin, as_system):
    client, key = api(admin), str(uuid.uuid4())
    first, second = send(client, key=key), send(client, key=key)

    assert second.json() == first.json()
    assert second["Idempotent-Replayed"] == "true"
    assert memberships(as_system, world) == 1


def test_the_same_key_for_another_request_is_refused(world, admin, as_system):
    client, key = api(admin), str(uuid.uuid4())
    send(client, key=key)

    answer = send(client, key=key, body=KEYS | {"validator": "0x" + "44" * 20})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_a_second_application_is_refused(world, admin, as_system):
    client = api(admin)
    send(client)

    answer = send(client)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_member")
    assert memberships(as_system, world) == 1


def test_an_unknown_consortium_is_404_and_a_missing_key_400(world, admin, as_system):
    assert send(api(admin), slug="nowhere").status_code == 404
    assert api(admin).post("/api/v1/consortia/shared/applications", KEYS, format="json").status_code == 400
    assert memberships(as_system, world) == 0


def test_without_the_role_it_is_403(world, as_system):
    with as_system():
        user = make_user("steward@outsider.example")
        RoleAssignment.objects.create(user=user, organization=world.outsider, role="steward")

    answer = send(api(user))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert memberships(as_system, world) == 0


@pytest.mark.parametrize("body", [{}, KEYS | {"vote_key": "0x12"}, KEYS | {"site_key": 7}])
def test_malformed_keys_are_refused_by_field(world, admin, as_system, body):
    answer = send(api(admin), body=body or {"vote_key": ""})

    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert memberships(as_system, world) == 0


def test_a_foreign_consortium_is_404_for_who_does_not_belong_to_it(world, admin):
    with_access, without = world.other_consortium, world.consortium

    assert api(admin).get(f"/api/v1/consortia/{with_access.pk}").status_code == 200
    for path in (f"consortia/{without.pk}", f"consortia/{without.pk}/proposals", f"proposals/{uuid.uuid4()}"):
        answer = api(admin).get(f"/api/v1/{path}")
        assert answer.status_code == 404 or answer.json()["results"] == [], path


NODE_KEY = public_key_of((7).to_bytes(32, "big"))
WITH_NODE = KEYS | {
    "validator": address_of_node(NODE_KEY),
    "enode": f"enode://{NODE_KEY.hex()}@10.0.0.7:30303?discport=0",
}


def test_the_node_is_kept_in_its_one_spelling(world, admin, as_system):
    assert send(api(admin), body=WITH_NODE).status_code == 201
    with as_system():
        kept = Membership.objects.get(organization=world.outsider, consortium=world.consortium)
    assert kept.enode == f"enode://{NODE_KEY.hex()}@10.0.0.7:30303"


def test_the_members_agents_are_told_where_the_node_is(world, admin, as_system):
    send(api(admin), body=WITH_NODE)
    for organization in (world.hospital, world.bank):
        with act_for(organization_id=organization.pk):
            shared = [row for row in consortia_for_agent(organization.pk) if row["id"] == str(world.consortium.pk)]
        assert [row["nodes"] for row in shared] == [[f"enode://{NODE_KEY.hex()}@10.0.0.7:30303"]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (WITH_NODE | {"validator": KEYS["validator"]}, "not of the validator"),
        (WITH_NODE | {"enode": "enode://xx"}, "An enode reads"),
        (WITH_NODE | {"enode": f"enode://{NODE_KEY.hex()}@node.example:30303"}, "no IP address"),
    ],
)
def test_another_nodes_enode_is_refused(world, admin, as_system, body, said):
    answer = send(api(admin), body=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "enode")
    assert said in str(answer.json())
    assert memberships(as_system, world) == 0


def test_the_page_says_it_beside_the_field(world, admin, as_system):
    client = Client()
    assert client.login(email="admin@outsider.example", password="a long pass phrase")
    wrong = WITH_NODE | {"consortium": "shared", "validator": KEYS["validator"]}

    answer = client.post("/members/apply/", wrong)
    assert answer.status_code == 200
    assert "not of the validator" in answer.text
    assert memberships(as_system, world) == 0

    assert client.post("/members/apply/", WITH_NODE | {"consortium": "shared"}).status_code == 302
    assert memberships(as_system, world) == 1
