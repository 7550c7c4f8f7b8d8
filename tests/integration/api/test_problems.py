"""Whatever the API refuses, it refuses with a problem: also what no view was asked for."""

import base64
import json
from io import BytesIO

import pytest
from django.test import Client

from audit.models import AuditRecord
from consortium.common.parsers import StrictJSONParser
from consortium.common.tenancy import act_for
from tests.factories.membership import World, make_world
from tests.integration.api.cases import token_of
from tests.integration.channel.agents import FakeSite


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


@pytest.fixture
def client(world) -> Client:
    made = Client(raise_request_exception=False)
    assert made.login(email="admin@hospital.example", password="a long pass phrase")
    return made


def refusal(answer) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


@pytest.mark.parametrize("path", ["nothing", "runs/not-an-id", "consortia/a b/applications"])
def test_an_unknown_address_is_a_problem_too_and_a_page_for_people(client, path):
    assert refusal(client.get(f"/api/v1/{path}")) == (404, "not_found")
    assert client.get(f"/{path}")["Content-Type"].startswith("text/html")


def test_a_fault_of_ours_says_nothing_but_the_id_that_finds_it(client, monkeypatch):
    def fail(*_given):
        raise RuntimeError("a secret")

    monkeypatch.setattr("consortium.membership.api.views.MeView.get", fail)
    answer = client.get("/api/v1/me")

    assert refusal(answer) == (500, "internal")
    assert b"secret" not in answer.content
    assert answer.json()["correlation_id"] == answer["X-Correlation-Id"]


@pytest.mark.parametrize("size", ["0", "201", "-1", "x", "9" * 5000, ""])
def test_a_page_size_that_is_none_is_refused(client, size):
    assert refusal(client.get("/api/v1/consortia", {"page_size": size})) == (400, "invalid_input")


@pytest.mark.parametrize("position", ["p=never", "p=%00", "o=x", "r=1&p=2026-13-40"])
@pytest.mark.parametrize("listed", ["consortia", "consortia/{}/records", "consortia/{}/checkpoints"])
def test_a_forged_cursor_is_refused_and_breaks_nothing(client, world, listed, position):
    cursor = base64.b64encode(position.encode()).decode()
    answer = client.get(f"/api/v1/{listed.format(world.consortium.pk)}", {"cursor": cursor})

    assert refusal(answer) == (400, "invalid_input")


@pytest.mark.parametrize("key", ["", "a key", "k" * 201, "schl\u00fcssel"])
def test_a_key_that_is_none_is_refused(client, world, key):
    path = f"/api/v1/consortia/{world.consortium.pk}/plans"
    answer = client.post(path, json.dumps({"document": {}}), "application/json", headers={"Idempotency-Key": key})

    assert refusal(answer) == (400, "invalid_input")


def test_a_refused_agent_is_told_how_to_prove_itself(world):
    stranger = FakeSite(world.hospital, token="nothing")
    for answer in (stranger.get("work"), stranger.get("consortia"), Client().get("/api/v1/agent/consortia")):
        assert refusal(answer)[0] == 401
        assert answer["WWW-Authenticate"] == 'Bearer realm="agent"'


@pytest.fixture
def site(world, as_system) -> FakeSite:
    made = FakeSite(world.hospital)
    with as_system():
        made.register(world.consortium)
    made.open_session()
    return made


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'["\\ud800"]',
        b"[1e400]",
        b"[-1e400]",
        b"[NaN]",
        b"[" * 200_000,
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"{",
        b"\xff",
    ],
)
def test_json_that_nobody_can_keep_is_refused(world, site, body):
    headers = {"Authorization": f"Bearer {site.token}"}
    path = f"/api/v1/agent/work/{world.hospital.pk}/result"
    answer = Client(raise_request_exception=False).post(path, body, "application/json", headers=headers)

    assert refusal(answer) == (400, "parse_error")


@pytest.mark.parametrize(
    "body",
    [b"[" * 63 + b"]" * 63, b'["' + b"[" * 500 + b'"]', b'["\\"' + b"[" * 99 + b'"]', b"[" + b"[]," * 99 + b"1]"],
)
def test_brackets_in_texts_and_beside_one_another_are_no_depth(body):
    assert StrictJSONParser().parse(BytesIO(body)) == json.loads(body)


@pytest.mark.parametrize("answer", [None, 1, "yes", [1]])
def test_an_answer_to_work_that_is_no_object_is_refused(world, site, answer):
    headers = {"Authorization": f"Bearer {site.token}"}
    path = f"/api/v1/agent/work/{world.hospital.pk}/result"
    given = Client().post(path, json.dumps(answer), "application/json", headers=headers)

    assert refusal(given) == (400, "invalid_input")


@pytest.mark.parametrize("query", ["wait=-1", "wait=21", "wait=nan", "wait=inf", "in_hand=,", "in_hand=x"])
def test_a_poll_that_asks_for_what_is_not_given_is_refused(site, query):
    assert refusal(site.get(f"work?{query}")) == (400, "invalid_input")


@pytest.mark.parametrize("query", ["log=", "size=", "size=-1"])
def test_an_empty_word_in_a_query_is_not_passed_over(site, query):
    assert refusal(site.get(f"checkpoints?{query}")) == (400, "invalid_input")


def test_work_is_asked_for_in_one_way_only(site):
    answer = site.post("work", {})

    assert refusal(answer) == (405, "method_not_allowed")
    assert answer["Allow"] == "GET"


def test_a_refused_attempt_with_a_token_is_recorded_and_answered_as_with_a_session(world):
    """The view's rollback takes back for whom a token let the transaction act; the record is written after it."""
    with act_for(organization_id=world.hospital.pk):
        headers = {"Authorization": f"Bearer {token_of('admin@hospital.example')}", "Idempotency-Key": "one"}
    path, body = f"/api/v1/consortia/{world.consortium.pk}/plans", json.dumps({"document": {}})
    answer = Client(raise_request_exception=False).post(path, body, "application/json", headers=headers)

    assert refusal(answer) == (400, "plan_invalid")
    with act_for(organization_id=world.hospital.pk):
        record = AuditRecord.objects.get()
    assert (record.action, record.outcome, record.error_code) == ("training.plan.draft", "refused", "plan_invalid")
