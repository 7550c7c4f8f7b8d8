"""A real browser at the portal: sizes, themes, log-ins, and what every page is held to."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect

from consortium.demo.sites import VOTER, Site, wait_for
from consortium.embedded.layout import project_root

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
NO_CHROMIUM = "no Chromium on this machine: apt-get install chromium"
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)
AXE = project_root() / "node_modules" / "axe-core" / "axe.min.js"
# What a page may not do: WCAG 2.2 AA, and axe's own best practices.
_RUN_AXE = "() => axe.run(document, {resultTypes: ['violations']})"
_WIDTH = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True, slots=True)
class Screen:
    """A window and a theme."""

    name: str
    width: int
    height: int
    theme: str

    @property
    def is_phone(self) -> bool:
        return self.width < 720


SCREENS = tuple(
    Screen(f"{device}-{theme}", width, height, theme)
    for device, width, height in (("desktop", 1440, 900), ("phone", 390, 844))
    for theme in ("light", "dark")
)
# Wide and light, narrow and dark: the two that differ most.
EXTREMES = (SCREENS[0], SCREENS[3])


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))


class Person:
    """Somebody at a browser of their own; what the page's console complains of is kept."""

    def __init__(self, context: BrowserContext, address: str, screen: Screen) -> None:
        self.context = context
        self.address = address
        self.screen = screen
        self.page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda said: self._hear(said.type, said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, kind: str, text: str) -> None:
        # A refused form answers 4xx, which the browser mentions too.
        if kind in {"error", "warning"} and "status of 4" not in text:
            self.complaints.append(text)

    def open(self, path: str) -> Page:
        self.page.goto(path if path.startswith("http") else f"{self.address}{path}")
        return self.page

    def log_in(self, email: str, phrase: str) -> Page:
        self.open("/accounts/login/")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Pass phrase").fill(phrase)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(lambda address: "/accounts/login" not in address)
        return self.page

    def log_in_at_member_page(self, site: Site, name: str = VOTER, phrase: str = "") -> Page:
        """Log in at the page that the site's own agent serves; as its voter without another name."""
        self.open(f"{site.member_page}/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Pass phrase").fill(phrase or site.voter_phrase)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(lambda address: not address.endswith("/login"))
        return self.page

    def go(self, section: str) -> Page:
        """Go to a section of the portal by its link: in the rail, or on a phone behind "More"."""
        places = self.page.get_by_role("navigation", name="Places" if self.screen.is_phone else "Sections")
        if self.screen.is_phone:
            places.get_by_role("link", name="More").click()
            places = self.page.get_by_role("main")
        places.get_by_role("link", name=section, exact=True).click()
        expect(self.page.get_by_role("heading", level=1, name=section)).to_be_visible()
        return self.page

    def reload_until(self, shown: Locator, *, seconds: float = 60) -> None:
        """Load the page again, as a person does whom it tells to, until it shows this."""

        def is_shown() -> bool:
            self.page.reload()
            return shown.is_visible()

        wait_for(seconds, is_shown, f"{shown} at {self.page.url}")

    def require_sound(self) -> None:
        """Hold the open page to what every page is held to."""
        found = self.faults()
        assert not found, f"{self.page.url} on {self.screen.name}: {found}"

    def faults(self) -> list[str]:
        """What is wrong with the open page as this window shows it, and what its console complained of since."""
        self.page.wait_for_load_state()
        wider = overflow(self.page)
        found = [*violations(self.page), *([f"{wider} px wider than the window"] if wider else []), *self.complaints]
        self.complaints.clear()
        return found


@contextmanager
def person(browser: Browser, address: str, screen: Screen = SCREENS[0], **options: Any) -> Iterator[Person]:
    """A browser of one's own with the screen's size and theme."""
    context = browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        color_scheme="dark" if screen.theme == "dark" else "light",
        has_touch=screen.is_phone,
        reduced_motion="reduce",
        **options,
    )
    context.set_default_timeout(15_000)
    try:
        yield Person(context, address, screen)
    finally:
        context.close()


def show_on(page: Page, screen: Screen) -> None:
    """Show the page that is open in another window and theme."""
    page.set_viewport_size({"width": screen.width, "height": screen.height})
    page.emulate_media(color_scheme="dark" if screen.theme == "dark" else "light")


def violations(page: Page) -> list[str]:
    """What axe finds wrong on the page, in words."""
    if page.evaluate("() => typeof window.axe") == "undefined":
        page.evaluate(AXE.read_text())
    found = page.evaluate(_RUN_AXE)["violations"]
    return [f"{one['id']}: {one['help']} at {[node['target'] for node in one['nodes']][:3]}" for one in found]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate(_WIDTH))
