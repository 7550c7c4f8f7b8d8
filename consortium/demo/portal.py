"""A person's browser, as far as the story needs one: cookies, forms, no script."""

import re
from typing import Self

import httpx


class Visitor:
    """Somebody at the portal."""

    def __init__(self, address: str) -> None:
        self.client = httpx.Client(base_url=address, timeout=30.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.client.close()

    def log_in(self, email: str, phrase: str) -> httpx.Response:
        """Fill in the form of the log-in page and return the answer to it."""
        page = self.client.get("/accounts/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        form = {"login": email, "password": phrase, "csrfmiddlewaretoken": token.group(1) if token else ""}
        return self.client.post("/accounts/login/", data=form, headers={"Referer": str(page.url)})

    def open(self, path: str) -> httpx.Response:
        return self.client.get(path)
