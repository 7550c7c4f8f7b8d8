"""The Substra back end keeps the contract of all back ends."""

from collections.abc import Iterator

import pytest

from tests.integration.training.backend_contract import BackendContract
from training.backends.known import make_backend
from training.backends.substra.backend import SubstraBackend


class TestSubstraBackend(BackendContract):
    @pytest.fixture
    def backend(self) -> Iterator[SubstraBackend]:
        made = SubstraBackend()
        yield made
        made.close()


def test_it_is_known_by_name() -> None:
    assert isinstance(make_backend("substra"), SubstraBackend)
