"""Which chain a consortium's evidence speaks of, from the deployment's settings and its node."""

from uuid import UUID

from django.conf import settings

from audit.bundles.archive import ChainFacts
from consortium.membership.selectors import contracts_of
from contracts.reading.evidence import EvidenceGateway


def chain_facts(consortium_id: UUID, chain: EvidenceGateway) -> ChainFacts:
    """Return the chain's id, kind and genesis, and the consortium's contracts; `ChainError` if the node is silent."""
    return ChainFacts(
        chain_id=chain.chain_id,
        kind="development" if chain.chain_id == settings.DEVELOPMENT_CHAIN_ID else "qbft",
        genesis=chain.genesis(),
        contracts={name: address.lower() for name, address in contracts_of(consortium_id).items()},
    )
