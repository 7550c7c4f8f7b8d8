"""Signing documents of consents with the site key: batches, receipts, data sets, erasures."""

from collections.abc import Mapping
from typing import Any

from agent.consents.outgoing import Outgoing
from agent.policy import SigningRequest
from agent.signer import Signer
from consent.domain.documents import document_message
from consortium.kernel.digests import digest_of
from consortium.kernel.eip712 import AGENT_DOMAIN, Domain
from consortium.kernel.identifiers import to_hex


class DocumentSigner:
    """Signs a document and makes the request that carries it."""

    def __init__(self, signer: Signer, chain_id: int) -> None:
        self._signer = signer
        self._domain = Domain(AGENT_DOMAIN, chain_id)

    def signed(self, document: Mapping[str, Any], path: str) -> Outgoing:
        """Return the request: the document's fields, its digest and its signature."""
        signed = self._signer.sign(SigningRequest("AgentRequest", self._domain, document_message(document)))
        digest = digest_of(dict(document))
        return Outgoing(digest, path, {**document, "digest": digest, "signature": to_hex(signed.signature)})
