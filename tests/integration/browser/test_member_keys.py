"""The member page's keys in a real browser: sound on every screen at each step, and done by hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import agent.keystore
import agent.people
from agent.keystore import KeyPurpose, address_in
from agent.site import Site
from tests.integration.browser.sheets import faults
from tests.unit.agent.browsers import Browser
from tests.unit.agent.platforms import PlatformInMemory
from tests.unit.agent.worlds import SettableClock, make_site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(agent.people, "SCRYPT_N", 2**4)
    monkeypatch.setattr(agent.keystore, "SCRYPT_COST", 2)
    made = make_site(tmp_path / "site", clock=SettableClock())
    monkeypatch.setattr(made.trust, "admit", lambda found: found)
    yield made
    made.journal.close()


@pytest.fixture
def listed(site: Site) -> dict[int, str]:
    table = {1: address_in(site.folder, KeyPurpose.VOTE), 2: address_in(site.folder, KeyPurpose.SITE)}
    views: dict[str, Any] = {"keyOf": lambda _organization, purpose: table[purpose], "nonceOf": 3}
    site.given_chain.set("ConsortiumRegistry", **views)  # type: ignore[union-attr]  # the chain in memory
    return table


@pytest.fixture
def browser(site: Site, listed: dict[int, str]) -> Iterator[Browser]:
    made = Browser(site, PlatformInMemory())
    made.log_in()
    yield made
    made.close()
    site.consents.database.close()
    site.consents.vault.database.close()


def found(chromium: Any, answer: Any) -> dict[str, list[str]]:
    return dict(chromium.visit(lambda page: faults(page, answer, "/keys")))


def test_the_page_is_sound_at_each_step_and_after_a_refusal(chromium, browser, site, listed):
    assert found(chromium, browser.get("/keys")) == {}
    browser.send("/keys/site/new")
    assert found(chromium, browser.get("/keys?done=key_made")) == {}
    assert found(chromium, browser.send("/keys/site/sign", word="no")) == {}
    text = browser.get("/keys").text
    fields = dict(part for part in _hidden(text))
    browser.send("/keys/site/sign", word="replace", **fields)
    assert found(chromium, browser.get("/keys?done=key_signed")) == {}
    target = site.rotation.target(KeyPurpose.SITE)
    assert target is not None
    listed[2] = target.address
    assert found(chromium, browser.get("/keys")) == {}
    listed[1] = "0x" + "77" * 20
    browser.send("/keys/vote/new")
    assert found(chromium, browser.get("/keys")) == {}


def _hidden(text: str) -> list[tuple[str, str]]:
    import re

    return re.findall(r'name="((?:digest|deadline):[^"]+)" value="([^"]+)"', text)
