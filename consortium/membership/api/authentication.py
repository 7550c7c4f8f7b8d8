"""Bearer tokens of people: signed by the OpenID provider that the settings name, embedded or Keycloak."""

from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from consortium.common.tenancy import set_identity
from consortium.membership.middleware import identify
from consortium.membership.models import User
from consortium.membership.selectors import is_deactivated

ALGORITHMS = ["RS256", "ES256", "PS256"]
REQUIRED_CLAIMS = ["exp", "iat", "iss", "aud", "sub"]
LEEWAY_SECONDS = 30
ORGANIZATION_HEADER = "X-Organization"


class BearerTokenAuthentication(BaseAuthentication):
    """Check signature, issuer, audience and times; act for the organization that `X-Organization` names."""

    www_authenticate_realm = "api"

    def authenticate(self, request: Request) -> tuple[User, dict[str, Any]] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed(_("The Authorization header holds one token after the word Bearer."))
        claims = _verified(words[1].decode("latin-1"))
        try:
            person = UUID(str(claims["sub"]))
        except ValueError:
            raise AuthenticationFailed(_("The token does not speak for a person of this platform.")) from None
        return _person(request, person), claims

    def authenticate_header(self, request: Request) -> str:
        return f'Bearer realm="{self.www_authenticate_realm}"'


def _person(request: Request, person: UUID) -> User:
    """Find the person and whom they act for; the same answer whether unknown or deactivated."""
    set_identity(organization_id=None, person_id=person)
    user = User.objects.filter(pk=person, is_active=True).first()
    if user is None:
        raise AuthenticationFailed(_("The token does not speak for a person of this platform."))
    organization, roles = identify(user, request.headers.get(ORGANIZATION_HEADER))
    if organization is None and is_deactivated(user):
        raise AuthenticationFailed(_("The token does not speak for a person of this platform."))
    http = request._request
    http.organization, http.roles = organization, roles  # type: ignore[attr-defined] # as the middleware does
    return user


def _verified(token: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key=_key_for(token),
            algorithms=ALGORITHMS,
            issuer=settings.OIDC_ISSUER,
            audience=settings.OIDC_AUDIENCE,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED_CLAIMS},
        )
    except jwt.ExpiredSignatureError:
        raise AuthenticationFailed(_("The token has expired. Get a new one.")) from None
    except jwt.PyJWTError:
        raise AuthenticationFailed(_("The token is not valid here.")) from None
    return claims


def _key_for(token: str) -> Any:
    if settings.OIDC_JWKS_URL:
        return _remote_keys(settings.OIDC_JWKS_URL).get_signing_key_from_jwt(token).key
    return _own_key(settings.IDP_OIDC_PRIVATE_KEY)


@lru_cache(maxsize=1)
def _remote_keys(url: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(url, timeout=5)


@lru_cache(maxsize=1)
def _own_key(pem: str) -> Any:
    return load_pem_private_key(pem.encode(), password=None).public_key()
