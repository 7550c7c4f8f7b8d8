"""A person at the portal and at the API: cookies and forms, then a token by code and PKCE (RFC 7636)."""

import base64
import hashlib
import re
import secrets
import uuid
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx

CLIENT_ID = "consilium-cli"
# Nothing listens there: the code is read from the redirection itself.
CALLBACK = "http://127.0.0.1/callback"


class Visitor:
    """Somebody at the portal."""

    def __init__(self, address: str) -> None:
        self.client = httpx.Client(base_url=address, timeout=30.0)
        self.token = ""

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

    def get_token(self) -> None:
        """Get an access token of the embedded OpenID provider for who is logged in."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": CLIENT_ID,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        redirection = self.client.get("/identity/o/authorize", params=asked)
        code = parse_qs(urlsplit(redirection.headers["Location"]).query)["code"][0]
        form = {
            "grant_type": "authorization_code",
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "code": code,
            "code_verifier": verifier,
        }
        self.token = self.client.post("/identity/o/api/token", data=form).json()["access_token"]

    def get(self, path: str) -> Any:
        answer = self.client.get(f"/api/v1/{path}", headers=self._headers())
        answer.raise_for_status()
        return answer.json()

    def pages(self, path: str) -> list[Any]:
        """Return what all pages of a list hold."""
        found: list[Any] = []
        address = f"/api/v1/{path}?page_size=200"
        while address:
            answer = self.client.get(address, headers=self._headers())
            answer.raise_for_status()
            page = answer.json()
            found += page["results"]
            address = page["next"]
        return found

    def download(self, path: str) -> bytes:
        answer = self.client.get(f"/api/v1/{path}", headers=self._headers())
        answer.raise_for_status()
        return answer.content

    def post(self, path: str, body: Any) -> httpx.Response:
        headers = self._headers() | {"Idempotency-Key": str(uuid.uuid4())}
        return self.client.post(f"/api/v1/{path}", json=body, headers=headers)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def visitor(address: str, email: str, phrase: str) -> Visitor:
    """Somebody who is logged in and holds a token."""
    found = Visitor(address)
    found.log_in(email, phrase)
    found.get_token()
    return found
