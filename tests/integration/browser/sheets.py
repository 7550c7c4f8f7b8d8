"""Pages that a test's client was answered, Django's or httpx, in a real browser on every screen under their policy."""

from pathlib import Path
from typing import Any

from django.conf import settings

from tests.browser.driving import SCREENS, overflow, show_on, violations

ORIGIN = "https://portal.test"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


def faults(page: Any, answer: Any, path: str) -> dict[str, list[str]]:
    """What is wrong with the page, by screen: axe's findings, its width, and what the browser complained of."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.route("**/*", lambda route: route.fulfill(**_answered(route.request.url, answer, path)))
    # A colour half way between two themes is nobody's.
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{ORIGIN}{path}")
    found = {}
    for screen in SCREENS:
        show_on(page, screen)
        look(page, screen.name, path)
        wider = overflow(page)
        found[screen.name] = [*violations(page), *([f"{wider} px wider than the window"] if wider else [])]
    return {name: wrong for name, wrong in {**found, "console": complaints}.items() if wrong}


def look(page: Any, screen: str, path: str) -> None:
    """Called on each screen as the page stands there: where somebody who wants a picture takes it."""


def _answered(url: str, answer: Any, path: str) -> dict[str, Any]:
    if url.removeprefix(ORIGIN) == path:
        policy = answer.headers["Content-Security-Policy"]
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}
        return {"status": 200, "headers": headers, "body": answer.content}
    return static(url) or {"status": 404, "body": ""}


def static(url: str) -> dict[str, Any] | None:
    """A file of ours as its address says; None for any other."""
    name = url.removeprefix(ORIGIN).removeprefix("/static/").partition("?")[0]
    file = Path(settings.BASE_DIR) / "static" / name
    return {"status": 200, "content_type": TYPES[file.suffix], "body": file.read_bytes()} if file.is_file() else None
