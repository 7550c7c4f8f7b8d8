"""The back end in memory keeps the contract of all back ends."""

import pytest

from tests.integration.training.backend_contract import BackendContract
from training.backends.known import make_backend
from training.backends.memory import MemoryBackend
from training.errors import UnknownBackendError


class TestMemoryBackend(BackendContract):
    @pytest.fixture
    def backend(self) -> MemoryBackend:
        return MemoryBackend()


def test_back_ends_are_known_by_name() -> None:
    assert isinstance(make_backend("memory"), MemoryBackend)
    with pytest.raises(UnknownBackendError):
        make_backend("abacus")
