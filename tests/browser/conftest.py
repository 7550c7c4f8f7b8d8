"""The portal as people see it: the whole story told once on an instance of its own, and a real browser."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright

from consortium.demo.world import World
from consortium.embedded.layout import Layout, project_root
from tests.browser.driving import CHROMIUM, NO_CHROMIUM, Person, launch, person
from tests.browser.places import LogIn
from tests.e2e.instance import told


@pytest.fixture(scope="package")
def world() -> Iterator[World]:
    """Five hospitals with a completed run, a released model and a bundle."""
    if not CHROMIUM:
        pytest.skip(NO_CHROMIUM)
    with told(Layout(project_root() / ".local" / "browser")) as world:
        yield world


@pytest.fixture(scope="package")
def browser(world: World) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def inside(world: World, browser: Browser) -> Iterator[Callable[[LogIn], Person]]:
    """Somebody who is logged in, once for all tests that only look."""
    known: dict[LogIn, Person] = {}
    with ExitStack() as stack:

        def enter(log_in: LogIn) -> Person:
            if log_in not in known:
                known[log_in] = stack.enter_context(person(browser, world.address))
                log_in(known[log_in], world)
            return known[log_in]

        yield enter
