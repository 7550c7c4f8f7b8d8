"""Why a run ended, as the chain names it."""

import hashlib


def reason_digest(code: str) -> bytes:
    """Return the 32 bytes that stand for a reason's code on the chain; the words stay off it."""
    return hashlib.sha256(f"consilium/run-end/1:{code}".encode()).digest()
