"""Sites with consents in temporary folders; scrypt cheap enough for many tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import agent.keystore
import agent.people
from agent.consents.office import ConsentOffice
from tests.unit.agent_consents.worlds import make_office


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent.people, "SCRYPT_N", 2**4)
    monkeypatch.setattr(agent.keystore, "SCRYPT_COST", 2)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[ConsentOffice]:
    made = make_office(tmp_path / "site")
    yield made
    made.database.close()
    made.vault.database.close()
    made.site.journal.close()
