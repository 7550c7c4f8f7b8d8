"""The embedded OpenID provider: who a token speaks for, and for which service it is meant."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from django.conf import settings

from consortium.common.tenancy import set_identity
from consortium.membership.models import User


class OIDCAdapter(DefaultOIDCAdapter):  # type: ignore[misc] # allauth has no stubs
    def get_issuer(self) -> str:
        """The deployment's own address, whatever host the request named."""
        return str(settings.OIDC_ISSUER)

    def get_user_by_sub(self, client: Any, sub: str) -> User | None:
        """The person of a code or token: known from here on, so the database may show their row."""
        try:
            person_id = UUID(sub)
        except ValueError:
            return None
        set_identity(organization_id=None, person_id=person_id)
        return User.objects.filter(pk=person_id, is_active=True).first()

    def populate_access_token(
        self, access_token: dict[str, Any], *, client: Any, scopes: Iterable[str], user: Any, **other: Any
    ) -> None:
        access_token["aud"] = settings.OIDC_AUDIENCE
