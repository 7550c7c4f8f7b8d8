"""The API server by its plain HTTP, with what the standard library has."""

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

Object = dict[str, Any]
CORE = "/api/v1"


class ApiError(Exception):
    """The server refused; `status` is HTTP's number, the text the server's reason."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class Api:
    """A client that may do everything; HTTPS on the loopback, with the certificate that the server made itself."""

    def __init__(self, url: str, token: str, authority: Path) -> None:
        self.url, self._token = url, token
        self._tls = ssl.create_default_context(cafile=str(authority))

    def call(self, method: str, path: str, body: Object | None = None, kind: str = "application/json") -> Object:
        """Send one request; `ApiError` if it is refused."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10, context=self._tls) as answer:
                raw = answer.read()
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, _reason(error.read())) from error
        made: Object = json.loads(raw) if raw[:1] == b"{" else {"text": raw.decode()}
        return made

    def get(self, path: str) -> Object:
        return self.call("GET", path)

    def items(self, path: str) -> list[Object]:
        found: list[Object] = self.get(path)["items"]
        return found

    def exists(self, path: str) -> bool:
        try:
            self.get(path)
        except ApiError as error:
            if error.status != 404:
                raise
            return False
        return True

    def create(self, path: str, body: Object) -> Object:
        return self.call("POST", path, body)

    def patch(self, path: str, body: Object) -> Object:
        return self.call("PATCH", path, body, "application/merge-patch+json")

    def delete(self, path: str) -> None:
        self.call("DELETE", path, {"gracePeriodSeconds": 0})


def _reason(raw: bytes) -> str:
    try:
        return str(json.loads(raw)["message"])
    except (ValueError, KeyError):
        return raw.decode(errors="replace")


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Look again until it is so; `TimeoutError` names what did not come to pass."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"It did not come to pass within {seconds:.0f} s: {what}.")
        time.sleep(0.1)
