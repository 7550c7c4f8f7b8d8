"""What holds on every page, at both widths and in both themes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from consortium.demo.world import World
from tests.browser.driving import SCREENS, Person, person, show_on, violations
from tests.browser.places import PLACES, STRANGER, LogIn, Place, as_administrator, as_stranger, as_voter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]


@pytest.mark.parametrize(("place", "log_in"), PLACES, ids=[place.name for place, _log_in in PLACES])
def test_axe_finds_nothing_the_page_fits_and_the_console_stays_silent_on_every_screen(
    inside: Callable[[LogIn], Person], place: Place, log_in: LogIn
):
    visitor = inside(log_in)
    visitor.complaints.clear()
    page = place.reach(visitor)

    found = {}
    for screen in SCREENS:
        show_on(page, screen)
        found[screen.name] = visitor.faults()

    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("log_in", [as_administrator, as_voter], ids=["portal", "member-page"])
def test_every_page_is_complete_without_a_script(browser: Browser, world: World, log_in: LogIn):
    with person(browser, world.address, java_script_enabled=False) as visitor:
        log_in(visitor, world)
        for place in (place for place, needed in PLACES if needed is log_in):
            page = place.reach(visitor)
            assert page.locator("main h1").first.inner_text().strip(), place.name
            assert page.locator("main .needs-js:visible").count() == 0, place.name


def test_the_log_in_is_complete_without_a_script(browser: Browser, world: World):
    with person(browser, world.address, java_script_enabled=False) as visitor:
        as_stranger(visitor, world)
        page = STRANGER[0].reach(visitor)

        assert page.get_by_role("button", name="Log in").is_enabled()
        assert page.locator(".needs-js:visible").count() == 0


def test_the_check_itself_finds_what_is_wrong(browser: Browser, world: World):
    with person(browser, world.address) as visitor:
        page = visitor.open("/accounts/login/")
        page.evaluate("() => { document.body.innerHTML = '<main><img src=x><button></button></main>'; }")

        assert any(one.startswith("button-name") for one in violations(page))
        assert any(one.startswith("image-alt") for one in violations(page))
