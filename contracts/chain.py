"""The chain that this deployment is configured for."""

from functools import lru_cache

from django.conf import settings

from contracts.interface import Chain
from contracts.rpc.tokens import READING, SENDING, WATCHING, TokenSource, token_sources


@lru_cache(maxsize=4)
def chain_from_settings(*, timeout_seconds: float = 10.0) -> Chain:
    """The gateway to CHAIN_RPC_URL (several, separated by commas), made once a process."""
    # web3 takes a second to import: programs that ask no node do not wait for it.
    from contracts.reading.evidence import EvidenceGateway

    return EvidenceGateway(
        urls_from_settings(),
        chain_id=settings.CHAIN_ID,
        timeout_seconds=timeout_seconds,
        tokens=tokens_from_settings(),
    )


def urls_from_settings() -> list[str]:
    """The nodes that CHAIN_RPC_URL names."""
    return [url.strip() for url in settings.CHAIN_RPC_URL.split(",") if url.strip()]


def tokens_from_settings() -> list[TokenSource]:
    """Where each node's token comes from: CHAIN_RPC_TOKEN_FILE or CHAIN_RPC_JWT_KEY_FILE; no token without them."""
    return _tokens(settings.CHAIN_RPC_TOKEN_FILE, settings.CHAIN_RPC_JWT_KEY_FILE, len(urls_from_settings()))


@lru_cache(maxsize=4)
def _tokens(token_files: str, key_files: str, count: int) -> list[TokenSource]:
    return token_sources(token_files, key_files, count=max(1, count), permissions=(*READING, *SENDING, *WATCHING))


def may_heal(chain: Chain) -> bool:
    """Whether lost blocks are mended and not an alarm: on the development chain, and on no other.

    The chain's own answer decides, not a name or an option: `check_chain` has compared it.
    """
    return chain.chain_id == settings.DEVELOPMENT_CHAIN_ID
