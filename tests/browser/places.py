"""The pages that are looked at, with how one gets to them: an address, or a link on another page."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin

from playwright.sync_api import Page

from consortium.demo.world import World
from tests.browser.driving import Person


@dataclass(frozen=True, slots=True)
class Place:
    """A page: its name in file names, where it starts, and which link of that page leads on to it."""

    name: str
    start: str
    follow: str = ""

    def reach(self, visitor: Person) -> Page:
        page = visitor.open(self.start)
        if self.follow:
            address = page.locator(self.follow).first.get_attribute("href")
            assert address, f"{self.start} has no link {self.follow}"
            page = visitor.open(urljoin(page.url, address))
        return page


PORTAL = (
    Place("overview", "/"),
    Place("sections", "/more/"),
    Place("proposals", "/proposals/"),
    Place("proposal", "/proposals/", "main tbody th a"),
    Place("plans", "/plans/"),
    Place("plan", "/plans/", "main tbody th a"),
    Place("runs", "/runs/"),
    Place("run", "/runs/", "main tbody th a"),
    Place("models", "/models/"),
    Place("model", "/models/", "main tbody th a"),
    Place("plan-new", "/plans/new/"),
    Place("audit", "/audit/"),
    Place("record", "/audit/", "main tbody th a"),
    Place("search", "/search/?q=long"),
    Place("reports", "/reports/"),
    Place("report", "/reports/", "main tbody th a"),
    Place("bundles", "/bundles/"),
)

MEMBER = (
    Place("member-ballots", "/"),
    Place("member-consents", "/consents"),
    Place("member-withdrawals", "/consents/withdrawals"),
    Place("member-imports", "/consents/imports"),
    Place("member-data-sets", "/data-sets"),
    Place("member-data-set", "/data-sets", "main tbody th a"),
    Place("member-plans", "/plans"),
    Place("member-plan", "/plans", "main tbody th a"),
    Place("member-rules", "/rules"),
    Place("member-privacy", "/privacy"),
    Place("member-log", "/log"),
    Place("member-status", "/status"),
)

LogIn = Callable[[Person, World], None]


def as_administrator(visitor: Person, world: World) -> None:
    site = world.sites[0]
    visitor.log_in(site.hospital.admin, site.admin_phrase)


def as_voter(visitor: Person, world: World) -> None:
    """At the member page of the first hospital."""
    visitor.address = world.sites[0].member_page
    page = visitor.open("/login")
    page.get_by_label("Name").fill("voter")
    page.get_by_label("Pass phrase").fill(world.sites[0].voter_phrase)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda address: not address.endswith("/login"))


PLACES: tuple[tuple[Place, LogIn], ...] = (
    *((place, as_administrator) for place in PORTAL),
    *((place, as_voter) for place in MEMBER),
)
