"""The pages that are looked at, with how one gets to them: an address, and links on the pages that come first."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin

from playwright.sync_api import Page

from consortium.demo.world import World
from tests.browser.driving import Person

ROW = "main tbody th a"
NOWHERE = "0" * 8


@dataclass(frozen=True, slots=True)
class Place:
    """A page: its name in file names, where it starts, which links lead on to it, and what lies below the last."""

    name: str
    start: str
    follow: str | tuple[str, ...] = ()
    below: str = ""

    def reach(self, visitor: Person) -> Page:
        page = visitor.open(self.start)
        for link in (self.follow,) if isinstance(self.follow, str) else self.follow:
            address = page.locator(link).first.get_attribute("href")
            assert address, f"{page.url} has no link {link}"
            page = visitor.open(urljoin(page.url, address))
        return visitor.open(urljoin(page.url, self.below)) if self.below else page


PORTAL = (
    Place("overview", "/"),
    Place("sections", "/more/"),
    Place("gallery", "/gallery/"),
    Place("members", "/members/"),
    Place("member", "/members/", ROW),
    Place("apply", "/members/apply/"),
    Place("people", "/people/"),
    Place("person", "/people/", ROW),
    Place("invite", "/people/invite/"),
    Place("invite-auditor", "/people/invite-auditor/"),
    Place("proposals", "/proposals/"),
    Place("proposals-none", "/proposals/?state=open&kind=acts"),
    Place("proposal", "/proposals/", ROW),
    Place("consents", "/consents/"),
    Place("import", "/consents/", "a[href*='/consents/imports/']"),
    Place("withdraw", "/consents/withdraw/"),
    Place("data-sets", "/data-sets/"),
    Place("data-set", "/data-sets/", ROW),
    Place("plans", "/plans/"),
    Place("plan", "/plans/", "main tr:has-text('Approved') th a"),
    Place("plan-new", "/plans/new/"),
    Place("plan-copy", "/plans/", (ROW, "a[href*='?from=']")),
    Place("run-new", "/plans/", "main tr:has-text('Approved') th a", below="run/"),
    Place("runs", "/runs/"),
    Place("run", "/runs/", "main tr:has-text('Completed') th a"),
    Place("models", "/models/"),
    Place("model", "/models/", "main tr:has-text('Released') th a"),
    Place("models-others", "/models/others/"),
    Place("audit", "/audit/"),
    Place("audit-none", "/audit/?digest=unheard-of"),
    Place("record", "/audit/", "main tr:has-text('Anchored') th a"),
    Place("correlation", "/audit/", "a[href*='/audit/acts/']"),
    Place("search", "/search/"),
    Place("search-hits", "/search/?q=long"),
    Place("search-none", "/search/?q=unheard-of"),
    Place("follow-none", f"/follow/0x{NOWHERE * 8}/"),
    Place("reports", "/reports/"),
    Place("report-form", "/reports/?framework=gdpr_art_30"),
    Place("bundles", "/bundles/"),
    Place("not-found", "/nowhere/"),
)

# At the hospital that exported the story's evidence, and at the one whose patient withdrew.
EXPORTED = (Place("report", "/reports/", ROW),)
WITHDREW = (Place("withdrawal", "/consents/", "a[href*='/consents/withdrawals/']"),)

# Whoever belongs to no consortium: every section says what will be there.
EMPTY = ("members", "proposals", "consents", "data-sets", "plans", "runs", "models", "audit", "reports", "people")
OPERATOR = (
    Place("overview-operator", "/"),
    *(Place(f"{section}-operator", f"/{section}/") for section in EMPTY),
    Place("forbidden", "/plans/new/"),
)

STRANGER = (
    Place("log-in", "/accounts/login/"),
    Place("invitation-closed", "/invitation/"),
)

MEMBER = (
    Place("member-ballots", "/"),
    Place("member-ballot-signed", "/", "a[href^='/ballots/signed/']"),
    Place("member-consents", "/consents"),
    Place("member-withdrawals", "/consents/withdrawals"),
    Place("member-imports", "/consents/imports"),
    Place("member-data-sets", "/data-sets"),
    Place("member-data-set", "/data-sets", ROW),
    Place("member-plans", "/plans"),
    Place("member-plan", "/plans", "main a[href^='/plans/']"),
    Place("member-run", "/plans", "main a[href^='/runs/']"),
    Place("member-rules", "/rules"),
    Place("member-privacy", "/privacy"),
    Place("member-log", "/log"),
    Place("member-log-none", "/log?about=unheard-of"),
    Place("member-status", "/status"),
    Place("member-keys", "/keys"),
    Place("member-not-found", "/nowhere"),
)

MEMBER_STRANGER = (Place("member-log-in", "/login"),)

LogIn = Callable[[Person, World], None]


def as_administrator(visitor: Person, world: World) -> None:
    site = world.sites[0]
    visitor.log_in(site.hospital.admin, site.admin_phrase)


def where_it_was_exported(visitor: Person, world: World) -> None:
    """The administrator of the hospital that exported the story's evidence."""
    site = world.sites[1]
    visitor.log_in(site.hospital.admin, site.admin_phrase)


def where_somebody_withdrew(visitor: Person, world: World) -> None:
    """The administrator of the hospital whose patient withdrew in the story."""
    site = world.sites[4]
    visitor.log_in(site.hospital.admin, site.admin_phrase)


def as_operator(visitor: Person, world: World) -> None:
    visitor.log_in(world.operator_email, world.operator_phrase)


def as_stranger(visitor: Person, world: World) -> None:
    """Nobody yet."""


def as_voter(visitor: Person, world: World) -> None:
    """At the member page of the first hospital."""
    visitor.address = world.sites[0].member_page
    visitor.log_in_at_member_page(world.sites[0])


def as_member_stranger(visitor: Person, world: World) -> None:
    """Nobody yet, at a member page."""
    visitor.address = world.sites[0].member_page


PLACES: tuple[tuple[Place, LogIn], ...] = tuple(
    (place, log_in)
    for log_in, places in (
        (as_administrator, PORTAL),
        (where_it_was_exported, EXPORTED),
        (where_somebody_withdrew, WITHDREW),
        (as_operator, OPERATOR),
        (as_stranger, STRANGER),
        (as_voter, MEMBER),
        (as_member_stranger, MEMBER_STRANGER),
    )
    for place in places
)
