"""What holds on every page, at both widths and in both themes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from consortium.demo.world import World
from tests.browser.driving import SCREENS, Person, overflow, person, show_on, violations
from tests.browser.places import PLACES, LogIn, Place, as_administrator

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]
every_page = pytest.mark.parametrize(("place", "log_in"), PLACES, ids=[place.name for place, _log_in in PLACES])


@every_page
def test_axe_finds_nothing_in_either_theme_at_either_width(
    inside: Callable[[LogIn], Person], place: Place, log_in: LogIn
):
    page = place.reach(inside(log_in))

    found = {}
    for screen in SCREENS:
        show_on(page, screen)
        found[screen.name] = violations(page)

    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@every_page
def test_a_page_fits_its_window_and_the_console_stays_silent(
    inside: Callable[[LogIn], Person], place: Place, log_in: LogIn
):
    visitor = inside(log_in)
    visitor.complaints.clear()
    page = place.reach(visitor)

    wider = {}
    for screen in SCREENS:
        show_on(page, screen)
        wider[screen.name] = overflow(page)

    assert visitor.complaints == []
    assert set(wider.values()) == {0}, wider


def test_every_page_is_complete_without_a_script(browser: Browser, world: World):
    with person(browser, world.address, java_script_enabled=False) as visitor:
        as_administrator(visitor, world)
        for place in (place for place, log_in in PLACES if log_in is as_administrator):
            page = place.reach(visitor)
            assert page.locator("main h1").inner_text().strip(), place.name
            assert page.locator("main .needs-js:visible").count() == 0, place.name


def test_the_check_itself_finds_what_is_wrong(browser: Browser, world: World):
    with person(browser, world.address) as visitor:
        page = visitor.open("/accounts/login/")
        page.evaluate("() => { document.body.innerHTML = '<main><img src=x><button></button></main>'; }")

        assert any(one.startswith("button-name") for one in violations(page))
        assert any(one.startswith("image-alt") for one in violations(page))
