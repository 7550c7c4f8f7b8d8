"""The hospital has a row of everything; the bank is its partner; the outsider has nothing to do with either."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from audit.log.keys import create_key
from consortium.membership.models import Organization, RoleAssignment, User
from tests.factories.everything import ROLES, Everything, make_everything
from tests.factories.membership import make_world
from tests.integration.channel.agents import FakeSite


@dataclass(frozen=True)
class Principals:
    """Who asks for one organization: its administrator, in every role, and its agent."""

    organization: Organization
    person: Client
    site: FakeSite


@pytest.fixture
def settled(settings: Any, tmp_path: Path) -> None:
    settings.CHAIN_ID = settings.DEVELOPMENT_CHAIN_ID
    settings.PLATFORM_FOLDER = tmp_path / "platform"
    settings.LOG_KEY_FILE = str(tmp_path / "log.key")
    create_key(tmp_path / "log.key")


@pytest.fixture
def sites(settled: None, db: None) -> dict[str, FakeSite]:
    """Filled with the agents of the three as soon as they are made."""
    return {}


@pytest.fixture
def everything(settled: None, become: Any, sites: dict[str, FakeSite]) -> Everything:
    with become("NONE"), scopes_disabled():
        world = make_world()
        sites |= {name: FakeSite(getattr(world, name)) for name in ("hospital", "bank", "outsider")}
        made = make_everything(world, sites["hospital"].address)
        sites["bank"].register(world.consortium)
        sites["outsider"].register(world.other_consortium)
        for organization in (world.hospital, world.bank, world.outsider):
            user = User.objects.get(email=f"admin@{organization.slug}.example")
            for role in set(ROLES) - {"admin"}:
                RoleAssignment.objects.create(user=user, organization=organization, role=role)
        return made


@pytest.fixture
def principals(everything: Everything, sites: dict[str, FakeSite]) -> Callable[[str], Principals]:
    """Log an organization's administrator in and open its agent's session."""

    def make(name: str) -> Principals:
        person = Client(raise_request_exception=False)
        assert person.login(email=f"admin@{name}.example", password="a long pass phrase")
        sites[name].client = Client(raise_request_exception=False)
        sites[name].open_session()
        return Principals(getattr(everything.world, name), person, sites[name])

    return make
