"""Who may ask: the host allow-list and RS256 tokens in public key mode."""

from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tests.besu import refusals

LOCAL_HOSTS = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Tokens:
    """Checks bearer tokens; `open_methods` need none (--rpc-http-api-methods-no-auth). Every failure is the same."""

    public_key: RSAPublicKey
    open_methods: tuple[str, ...] = ()

    def require(self, method: str, authorization: str | None) -> None:
        """Let a call of a known method pass, or refuse it with -40100."""
        if method in self.open_methods:
            return
        group, _, name = method.partition("_")
        permissions = self._permissions(authorization)
        if not permissions & {"*:*", f"{group}:*", f"{group}:{name}"}:
            raise refusals.unauthorized()

    def is_valid(self, authorization: str | None) -> bool:
        """Whether the token is one at all, whatever it permits."""
        try:
            self._claims(authorization)
        except jwt.InvalidTokenError:
            return False
        return True

    def _permissions(self, authorization: str | None) -> set[str]:
        try:
            found = self._claims(authorization).get("permissions", [])
        except jwt.InvalidTokenError as error:
            raise refusals.unauthorized() from error
        return {text for text in found if isinstance(text, str)} if isinstance(found, list) else set()

    def _claims(self, authorization: str | None) -> dict[str, Any]:
        scheme, _, token = (authorization or "").partition(" ")
        if scheme != "Bearer":
            raise jwt.InvalidTokenError("no bearer token")
        return dict(jwt.decode(token, self.public_key, algorithms=["RS256"], options={"require": ["exp"]}))


def host_is_allowed(host: str | None, allowed: tuple[str, ...]) -> bool:
    """Whether the Host header, without its port, is on the list; "*" allows all."""
    name = (host or "").rpartition(":")[0] or (host or "")
    return "*" in allowed or name.lower() in allowed
