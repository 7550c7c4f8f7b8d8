"""Whatever the API refuses, it refuses with a problem: also what no view was asked for."""

import base64
import json

import pytest
from django.test import Client

from tests.factories.membership import World, make_world
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
