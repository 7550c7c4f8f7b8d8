"""The pages of other consortia's models in a real browser: sound on every screen, empty and full."""

from typing import Any

import pytest
from django.test import Client

from contracts.models import OutboxTransaction
from tests.factories.membership import World, make_world
from tests.integration.browser.sheets import faults
from tests.integration.training import foreign_events as said
from training.models import ForeignModel

LIST = "/models/others/"


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


@pytest.fixture
def hospital(world: World) -> Client:
    client = Client()
    assert client.login(email="admin@hospital.example", password="a long pass phrase")
    return client


def found_on(chromium: Any, client: Client, path: str) -> dict[str, list[str]]:
    answer = client.get(path)
    assert answer.status_code == 200
    return dict(chromium.visit(lambda page: faults(page, answer, path)))


def test_the_empty_pages_are_sound(chromium, hospital):
    assert found_on(chromium, hospital, LIST) == {}
    assert found_on(chromium, hospital, "/models/") == {}


def test_the_full_list_with_a_refused_delivery_is_sound(chromium, hospital, world, as_system):
    with as_system():
        said.tell(world, said.accepted(), said.opened(), said.advanced(), said.registered(), said.released())
        OutboxTransaction.objects.create(
            consortium_id=world.consortium.pk,
            contract="CrossConsortiumInbox",
            function="deliver",
            idempotency_key="peer:a:1",
            correlation_id="00000000-0000-4000-8000-000000000001",
            state="failed",
            error_code="InboxNotAPeer",
            error_text="CrossConsortiumInbox refused deliver: InboxNotAPeer(0x" + "a1" * 32 + ").",
        )
    assert found_on(chromium, hospital, LIST) == {}


@pytest.mark.parametrize("last", [said.released, said.recalled, lambda: said.accepted(7, accepted=False)])
def test_a_model_is_sound_released_recalled_and_after_its_peer_was_left(chromium, hospital, world, as_system, last):
    with as_system():
        said.tell(world, said.accepted(), said.opened(), said.registered(), last())
        model = ForeignModel.objects.get()
    assert found_on(chromium, hospital, f"{LIST}{model.pk}/") == {}
