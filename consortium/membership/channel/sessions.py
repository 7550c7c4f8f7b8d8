"""An agent proves once in ten minutes that it holds its organization's site key."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core import signing
from django.core.cache import cache
from django.db import connection
from django.utils.translation import gettext as _

from consortium.kernel.digests import keccak256
from consortium.kernel.eip712 import AGENT_DOMAIN, Domain, typed_hash
from consortium.kernel.errors import ConsiliumError, InvalidInputError
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.kernel.secp256k1 import recover

SESSION_SECONDS = 600
# How far an agent's clock may be off; the same time a nonce is remembered.
CLOCK_TOLERANCE_SECONDS = 120
SESSION_PATH = "POST /api/v1/agent/session"
_SALT = "consilium.agent.session"


class AgentRefusedError(ConsiliumError):
    """The platform does not know this agent; the same answer whatever was wrong."""

    code = "agent_refused"
    http_status = 401


@dataclass(frozen=True)
class SessionRequest:
    """What an agent sends to open a session; `signature` is over all of it."""

    organization_id: UUID
    site_key: str
    time: int
    nonce: bytes
    signature: bytes

    def digest(self, chain_id: int) -> bytes:
        message = {
            "organization": uuid_to_bytes32(self.organization_id),
            "method_path": keccak256(SESSION_PATH.encode()),
            "body": bytes(32),
            "time": self.time,
            "nonce": self.nonce,
        }
        return typed_hash(Domain(AGENT_DOMAIN, chain_id), "AgentRequest", message)


@dataclass(frozen=True)
class AgentIdentity:
    """The agent of an organization; what DRF calls the user of an agent's request."""

    organization_id: UUID
    site_key: str
    is_authenticated: bool = True
    is_active: bool = True

    @property
    def pk(self) -> str:
        return f"agent:{self.organization_id}"


def open_session(request: SessionRequest, *, chain_id: int) -> str:
    """Return a token for the agent that signed `request`.

    Raises
    ------
    AgentRefusedError
        If the time is off, the nonce was seen, or the signature is not of the organization's current site key.
    """
    if abs(time.time() - request.time) > CLOCK_TOLERANCE_SECONDS:
        raise AgentRefusedError(_("The agent's clock differs from ours by more than two minutes. Set it right."))
    if not cache.add(f"agent-nonce:{request.nonce.hex()}", 1, timeout=2 * CLOCK_TOLERANCE_SECONDS):
        raise AgentRefusedError(_("This request was sent before. Sign a new one."))
    if not _signed_by_site(request, chain_id):
        raise AgentRefusedError(_("This site key is not known here for that organization."))
    return signing.dumps(
        {"organization": str(request.organization_id), "site_key": request.site_key.lower()}, salt=_SALT
    )


def identify_agent(token: str) -> AgentIdentity:
    """Return whose agent sends `token`; the key may have been retired since, so it is looked up each time."""
    identity = read_token(token)
    require_known(identity)
    return identity


def read_token(token: str) -> AgentIdentity:
    """Return for whom we made the token; whether that agent is still known is another question.

    Raises
    ------
    AgentRefusedError
        If it is not of our making, or too old.
    """
    try:
        value: dict[str, Any] = signing.loads(token, salt=_SALT, max_age=SESSION_SECONDS)
    except signing.BadSignature:
        raise AgentRefusedError(_("The session has ended. Open a new one.")) from None
    return AgentIdentity(UUID(value["organization"]), value["site_key"])


def require_known(identity: AgentIdentity) -> None:
    """Raise `AgentRefusedError` unless the site key is the organization's present one."""
    if not _is_known(identity.organization_id, identity.site_key):
        raise AgentRefusedError(_("This site key is not known here for that organization."))


def _signed_by_site(request: SessionRequest, chain_id: int) -> bool:
    try:
        signer = recover(request.digest(chain_id), request.signature)
    except InvalidInputError:
        return False
    return signer.lower() == request.site_key.lower() and _is_known(request.organization_id, request.site_key)


def _is_known(organization_id: UUID, site_key: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT consilium_knows_site_key(%s, %s)", [organization_id, site_key])
        return bool(cursor.fetchone()[0])
