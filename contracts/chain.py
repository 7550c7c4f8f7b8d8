"""The chain that this deployment is configured for."""

from functools import lru_cache

from django.conf import settings

from contracts.interface import Chain


@lru_cache(maxsize=4)
def chain_from_settings(*, timeout_seconds: float = 10.0) -> Chain:
    """The gateway to CHAIN_RPC_URL (several, separated by commas), made once a process."""
    # web3 takes a second to import: programs that ask no node do not wait for it.
    from contracts.gateway import Gateway

    urls = [url.strip() for url in settings.CHAIN_RPC_URL.split(",") if url.strip()]
    return Gateway(urls, chain_id=settings.CHAIN_ID, timeout_seconds=timeout_seconds)


def may_heal(chain: Chain) -> bool:
    """Whether lost blocks are mended and not an alarm: on the development chain, and on no other.

    The chain's own answer decides, not a name or an option: `check_chain` has compared it.
    """
    return chain.chain_id == settings.DEVELOPMENT_CHAIN_ID
