"""Each role's story, on a desktop in the light and on a phone in the dark."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, expect

from consortium.demo.world import World
from tests.browser.driving import EXTREMES, Person, Screen, person
from tests.browser.places import as_administrator
from tests.browser.roles.people import Account, come_in, invite, invite_auditor, new_account

Arrive = Callable[[], Person]
Colleague = Callable[[str], Account]


@pytest.fixture(params=EXTREMES, ids=[screen.name for screen in EXTREMES])
def screen(request: pytest.FixtureRequest) -> Screen:
    found: Screen = request.param
    return found


@pytest.fixture
def arrive(world: World, browser: Browser, screen: Screen) -> Iterator[Arrive]:
    """Somebody at a browser of their own, of the screen that the story is told on."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(person(browser, world.address, screen))


@pytest.fixture(scope="package")
def administrator(world: World, browser: Browser) -> Iterator[Person]:
    """The first hospital's administrator, who lets in whom the stories need."""
    with person(browser, world.address) as visitor:
        as_administrator(visitor, world)
        yield visitor


@pytest.fixture(scope="package")
def colleague(world: World, browser: Browser, administrator: Person) -> Colleague:
    """Somebody of the first hospital with one role alone, invited by its administrator, once for all stories."""
    known: dict[str, Account] = {}

    def find(role: str) -> Account:
        if role not in known:
            account = new_account(role)
            link = invite(administrator, account, role)
            with person(browser, world.address) as guest:
                come_in(guest, account, link)
            known[role] = account
        return known[role]

    return find


@pytest.fixture(scope="package")
def auditor(world: World, browser: Browser, administrator: Person) -> Account:
    """An auditor of the consortium, appointed by the first hospital's administrator."""
    account = new_account("Auditor")
    link = invite_auditor(administrator, account)
    with person(browser, world.address) as guest:
        come_in(guest, account, link)
    return account


@pytest.fixture(scope="package")
def told_member_page(world: World, administrator: Person) -> str:
    """Where the portal sends the first hospital's people to sign, as their administrator told it."""
    administrator.go("People and roles")
    administrator.page.get_by_label("Address of your member page").fill(world.sites[0].member_page)
    administrator.page.get_by_role("button", name="Keep the address").click()
    expect(administrator.page.get_by_role("status").filter(has_text="find a button to the member page")).to_be_visible()
    return world.sites[0].member_page
