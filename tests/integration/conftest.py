"""What the tests of several apps' pages share; each has its own `world`."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.factories.membership import World


@pytest.fixture
def login(world: World) -> Callable[[str], Client]:
    """Log the administrator of an organization in."""

    def run(slug: str) -> Client:
        client = Client()
        assert client.login(email=f"admin@{slug}.example", password="a long pass phrase")
        return client

    return run
