"""A browser of one member page, for tests: cookies kept, forms with their token."""

import asyncio
import re
from typing import Any

import httpx

from agent.courier import Courier
from agent.member_page.application import member_page
from agent.site import Site
from tests.unit.agent.platforms import PlatformInMemory
from tests.unit.agent.worlds import PHRASE

BASE = "http://127.0.0.1:8471"


class Browser:
    """Requests to the member page of one site, cookies kept, each in an event loop of the same thread."""

    def __init__(self, site: Site, platform: PlatformInMemory) -> None:
        client = site.client(transport=httpx.ASGITransport(platform.application()))
        courier = Courier(client, site.letters)
        self._open(site, site.desk(client, courier), courier)
        self._client: Any = client

    @classmethod
    def at(cls, site: Site, desk: Any, courier: Any) -> "Browser":
        """Return a browser of a page whose desk and courier are a test's own."""
        made = cls.__new__(cls)
        made._open(site, desk, courier)
        made._client = None
        return made

    def _open(self, site: Site, desk: Any, courier: Any) -> None:
        self._runner = asyncio.Runner()
        application = member_page(site, desk=desk, courier=courier)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=BASE)

    def get(self, path: str, **form: Any) -> httpx.Response:
        return self._runner.run(self.http.get(path, **form))

    def post(self, path: str, data: dict[str, str], **form: Any) -> httpx.Response:
        return self._runner.run(self.http.post(path, data=data, **form))

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form with the session's token and the pass phrase."""
        given = {"csrf_token": self.token(), "pass_phrase": PHRASE, **fields}
        return self.post(path, given)

    def upload(self, path: str, content: bytes, *, name: str = "consents.ndjson", token: str = "") -> httpx.Response:
        """Send a file as the form of imports does: its fields first."""
        fields = {"csrf_token": token or self.token()}
        return self._runner.run(self.http.post(path, data=fields, files={"file": (name, content)}))

    def token(self, path: str = "/") -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        assert found is not None
        return found[1]

    def log_in(self, name: str = "vera", phrase: str = PHRASE) -> httpx.Response:
        return self.post("/login", {"csrf_token": self.token("/login"), "name": name, "pass_phrase": phrase})

    def close(self) -> None:
        self._runner.run(self.http.aclose())
        if self._client is not None:
            self._runner.run(self._client.__aexit__(None, None, None))
        self._runner.close()
