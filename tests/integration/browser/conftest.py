"""A real Chromium, where the machine has one; tests say why they are skipped where it has none."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

R = TypeVar("R")
PROGRAM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))


class Chromium:
    """A browser on a thread of its own: Playwright's loop and Django's database do not share one."""

    def __init__(self, thread: ThreadPoolExecutor, browser: Any) -> None:
        self._thread = thread
        self._browser = browser

    def visit(self, act: Callable[[Any], R]) -> R:
        """Run `act` with a fresh page and return what it found."""
        return self._thread.submit(self._visit, act).result()

    def _visit(self, act: Callable[[Any], R]) -> R:
        page = self._browser.new_page()
        try:
            return act(page)
        finally:
            page.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The browser; skipped with a reason without one, or without Playwright."""
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not there; name a Chromium in CHROMIUM")
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is in the group e2e: uv sync --group e2e")
    with ThreadPoolExecutor(max_workers=1) as thread:
        playwright = thread.submit(api.sync_playwright().start).result()
        options = {"executable_path": str(PROGRAM), "args": ["--no-sandbox"]}
        browser = thread.submit(lambda: playwright.chromium.launch(**options)).result()
        yield Chromium(thread, browser)
        thread.submit(browser.close).result()
        thread.submit(playwright.stop).result()
