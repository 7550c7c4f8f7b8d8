"""`make screenshots`: a picture of every page for the documents, from a running instance.

Wide and light, narrow and dark: the two that differ most; `--all` takes the other two as well. Times and digests
differ each time, so pictures are taken anew when a page changes, not with each commit.
"""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from consortium.demo.world import World
from consortium.embedded.layout import Layout, project_root
from consortium.embedded.supervisor import interrupt_on_terminate
from tests.browser.driving import CHROMIUM, EXTREMES, NO_CHROMIUM, SCREENS, Person, launch, person, show_on
from tests.browser.places import PLACES, LogIn
from tests.e2e.instance import told

FOLDER = project_root() / "docs" / "screenshots"
# What the documents keep: the pages that people work on, without their empty and filtered states.
KEPT = (
    *("overview", "members", "people", "proposals", "proposal", "consents", "data-sets", "plan", "plan-new", "run"),
    *("model", "audit", "record", "correlation", "reports", "report", "gallery"),
    *("member-ballots", "member-consents", "member-plan", "member-rules", "member-privacy", "member-log"),
)


def main(argv: list[str]) -> int:
    options = _parser().parse_args(argv)
    if not CHROMIUM:
        sys.stderr.write(f"No pictures: {NO_CHROMIUM}\n")
        return 1
    interrupt_on_terminate()
    options.into.mkdir(parents=True, exist_ok=True)
    with told(Layout(project_root() / ".local" / "browser")) as world, sync_playwright() as playwright:
        browser = launch(playwright)
        _take(world, browser, options)
        browser.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument(
        "names", nargs="*", default=KEPT, help="pages, such as overview; by default those that the documents keep"
    )
    parser.add_argument("--every", action="store_true", help="every page")
    parser.add_argument("--all", action="store_true", help="both widths in both themes")
    parser.add_argument("--whole", action="store_true", help="the whole page, not what fits the window")
    parser.add_argument("--into", type=Path, default=FOLDER, help="folder (docs/screenshots)")
    return parser


def _take(world: World, browser: Browser, options: argparse.Namespace) -> None:
    visitors: dict[LogIn, Person] = {}
    with ExitStack() as stack:
        for place, log_in in PLACES:
            if not options.every and place.name not in options.names:
                continue
            if log_in not in visitors:
                visitors[log_in] = stack.enter_context(person(browser, world.address))
                log_in(visitors[log_in], world)
            page = place.reach(visitors[log_in])
            for screen in SCREENS if options.all else EXTREMES:
                show_on(page, screen)
                path = options.into / f"{place.name}-{screen.name}.png"
                page.screenshot(path=path, full_page=options.whole)
                sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
