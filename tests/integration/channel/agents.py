"""An agent as the platform sees it: a site key and signed requests."""

import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.test import Client

from consortium.kernel.digests import keccak256
from consortium.kernel.eip712 import AGENT_DOMAIN, Domain, typed_hash
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32
from consortium.kernel.secp256k1 import address_of, sign_digest
from consortium.membership.channel.sessions import SESSION_PATH
from consortium.membership.models import Consortium, Membership, Organization, OrganizationKey

PREFIX = "/api/v1/agent"


@dataclass
class FakeSite:
    """A site with a generated key; `client` is Django's own."""

    organization: Organization
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    client: Client = field(default_factory=Client)
    token: str = ""

    @property
    def address(self) -> str:
        return address_of(self.key)

    def register(self, consortium: Consortium) -> None:
        """Make the key known; call as the system."""
        membership = Membership.objects.get(consortium=consortium, organization=self.organization)
        OrganizationKey.objects.create(membership=membership, purpose="site", address=self.address)

    def session_request(self, **changes: Any) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "organization": str(self.organization.pk),
            "site_key": self.address,
            "time": int(time.time()),
            "nonce": to_hex(secrets.token_bytes(32)),
        } | changes
        message = {
            "organization": uuid_to_bytes32(uuid.UUID(asked["organization"])),
            "method_path": keccak256(SESSION_PATH.encode()),
            "body": bytes(32),
            "time": asked["time"],
            "nonce": bytes.fromhex(asked["nonce"][2:]),
        }
        digest = typed_hash(Domain(AGENT_DOMAIN, settings.CHAIN_ID), "AgentRequest", message)
        return {"signature": to_hex(sign_digest(digest, self.key))} | asked

    def open_session(self) -> None:
        answer = self.post("session", self.session_request())
        assert answer.status_code == 200, answer.content
        self.token = answer.json()["token"]

    def get(self, path: str):
        return self.client.get(f"{PREFIX}/{path}", headers=self._headers())

    def post(self, path: str, body: Any = None, **headers: str):
        content_type = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        return self.client.post(
            f"{PREFIX}/{path}", body if body is not None else {}, content_type, headers=self._headers() | headers
        )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}
