"""Agents at the API: a session token, looked up against the current site key."""

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from consortium.common.tenancy import set_identity
from consortium.membership.channel.sessions import AgentIdentity, AgentRefusedError, identify_agent

CHALLENGE = 'Bearer realm="agent"'


class AgentAuthentication(BaseAuthentication):
    """Act for the organization whose agent sends the token."""

    def authenticate(self, request: Request) -> tuple[AgentIdentity, None] | None:
        words = get_authorization_header(request).split()
        if len(words) != 2 or words[0].lower() != b"bearer":
            return None
        identity = identify_agent(words[1].decode("latin-1"))
        set_identity(organization_id=identity.organization_id, person_id=None)
        return identity, None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def token_of(header: str) -> str:
    """The token of an Authorization header, for views outside DRF."""
    word, _, token = header.partition(" ")
    if word.lower() != "bearer" or not token:
        raise AgentRefusedError("Open a session first, and send its token.")
    return token.strip()
