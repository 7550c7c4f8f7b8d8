"""Sites in temporary folders, closed at the end; scrypt cheap enough for many tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import agent.keystore
import agent.people
from agent.site import Site
from tests.unit.agent.browsers import Browser
from tests.unit.agent.platforms import PlatformInMemory
from tests.unit.agent.worlds import SettableClock, make_site


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent.people, "SCRYPT_N", 2**4)
    monkeypatch.setattr(agent.keystore, "SCRYPT_COST", 2)


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    made: list[Site] = []

    def make(**options: Any) -> Site:
        made.append(make_site(tmp_path / f"site{len(made)}", **options))
        return made[-1]

    yield make
    for site in made:
        site.journal.close()


@pytest.fixture
def site(new_site: Callable[..., Site]) -> Site:
    return new_site()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def timed_site(new_site: Callable[..., Site], clock: SettableClock, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = new_site(clock=clock)
    monkeypatch.setattr(site.trust, "admit", lambda found: found)
    return site


@pytest.fixture
def platform() -> PlatformInMemory:
    return PlatformInMemory()


@pytest.fixture
def browser(timed_site: Site, platform: PlatformInMemory) -> Iterator[Browser]:
    made = Browser(timed_site, platform)
    yield made
    timed_site.consents.imports.wait()
    made.close()
    timed_site.consents.database.close()
    timed_site.consents.vault.database.close()
