"""A hospital and a bank share a consortium; the hospital has a real site folder, and a steward."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

import agent.keystore
from agent.configuration import Configuration, Rules
from agent.consents.office import ConsentOffice
from agent.founding import found_site
from agent.site import open_site
from consortium.membership.models import RoleAssignment
from tests.factories.membership import World, make_user, make_world
from tests.integration.channel.agents import FakeSite
from tests.unit.agent.worlds import site_secret


@pytest.fixture(autouse=True)
def development_chain(settings) -> None:
    settings.CHAIN_ID = settings.DEVELOPMENT_CHAIN_ID


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent.keystore, "SCRYPT_COST", 2)


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        made = make_world()
        user = make_user("steward@hospital.example")
        RoleAssignment.objects.create(user=user, organization=made.hospital, role="steward")
        scientist = make_user("scientist@hospital.example")
        RoleAssignment.objects.create(user=scientist, organization=made.hospital, role="scientist")
    return made


@pytest.fixture
def node_url() -> str:
    """Where the site's own node answers; tests with a chain say it."""
    return "http://127.0.0.1:9"


@pytest.fixture
def office(tmp_path: Path, world: World, node_url: str) -> Iterator[ConsentOffice]:
    configuration = Configuration(
        organization=world.hospital.pk,
        name="Hospital",
        platform_url="http://127.0.0.1:9",
        chain_id=settings.CHAIN_ID,
        chain_urls=(node_url,),
        port=0,
        rules=Rules(signatures_per_minute=1000),
    )
    found_site(tmp_path / "site", configuration)
    made = ConsentOffice(open_site(tmp_path / "site"))
    yield made
    made.database.close()
    made.vault.database.close()
    made.site.journal.close()


@pytest.fixture
def site(world: World, office: ConsentOffice, as_system) -> FakeSite:
    """The hospital's agent with an open session, signing with the site folder's own key."""
    made = FakeSite(world.hospital, key=site_secret(office.site))
    with as_system():
        made.register(world.consortium)
    made.open_session()
    return made


@pytest.fixture
def bank_site(world: World, as_system) -> FakeSite:
    made = FakeSite(world.bank)
    with as_system():
        made.register(world.consortium)
    made.open_session()
    return made


@pytest.fixture
def steward(world: World) -> Client:
    return logged_in("steward@hospital.example", world)


@pytest.fixture
def scientist(world: World) -> Client:
    return logged_in("scientist@hospital.example", world)


@pytest.fixture
def banker(world: World) -> Client:
    return logged_in("admin@bank.example", world)


def logged_in(email: str, world: World) -> Client:
    client = Client()
    assert client.login(email=email, password="a long pass phrase")
    return client
