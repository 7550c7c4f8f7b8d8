"""A world whose hospital has an agent with an open session."""

import pytest
from django.db import transaction

from tests.factories.membership import World, make_world
from tests.integration.channel.agents import FakeSite


@pytest.fixture
def world(transactional_db, as_system) -> World:
    with transaction.atomic(), as_system():
        return make_world()


@pytest.fixture
def site(world, as_system) -> FakeSite:
    site = FakeSite(world.hospital)
    with transaction.atomic(), as_system():
        site.register(world.consortium)
    site.open_session()
    return site
