"""`make screenshots`: a picture of every page for the documents, from a running instance.

Wide and light, narrow and dark: the two that differ most. Times and digests differ each time, so pictures are
taken anew when a page changes, not with each commit.
"""

import sys

from playwright.sync_api import sync_playwright

from consortium.demo.world import World
from consortium.embedded.layout import Layout, project_root
from consortium.embedded.supervisor import interrupt_on_terminate
from tests.browser.driving import CHROMIUM, NO_CHROMIUM, SCREENS, Person, launch, person, show_on
from tests.browser.places import PLACES, LogIn
from tests.e2e.instance import told

FOLDER = project_root() / "docs" / "screenshots"
SHOWN = [screen for screen in SCREENS if screen.name in {"desktop-light", "phone-dark"}]


def main(names: list[str]) -> int:
    if not CHROMIUM:
        sys.stderr.write(f"No pictures: {NO_CHROMIUM}\n")
        return 1
    interrupt_on_terminate()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with told(Layout(project_root() / ".local" / "browser")) as world:
        _take(world, set(names))
    return 0


def _take(world: World, names: set[str]) -> None:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        visitors: dict[LogIn, Person] = {}
        for place, log_in in PLACES:
            if names and place.name not in names:
                continue
            if log_in not in visitors:
                visitors[log_in] = person(browser, world.address).__enter__()
                log_in(visitors[log_in], world)
            page = place.reach(visitors[log_in])
            for screen in SHOWN:
                show_on(page, screen)
                path = FOLDER / f"{place.name}-{screen.name}.png"
                page.screenshot(path=path)
                sys.stdout.write(f"{path.relative_to(project_root())}\n")
        browser.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
