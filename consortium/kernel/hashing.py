"""Domain-separated SHA-256 over several parts, so that no two meanings share a preimage."""

import hashlib

from consortium.kernel.errors import InvalidInputError

HASH_BYTES = 32


def tagged_hash(tag: str, *parts: bytes) -> bytes:
    """Hash a tag and parts, each preceded by its length in 4 bytes (big-endian).

    The lengths make the encoding injective: moving a byte from one part to the next,
    or from the tag to a part, gives another preimage.
    """
    hasher = hashlib.sha256()
    for part in (tag.encode("ascii"), *parts):
        hasher.update(len(part).to_bytes(4, "big"))
        hasher.update(part)
    return hasher.digest()


def require_hash(value: bytes, name: str) -> bytes:
    """Return the value if it has 32 bytes; `InvalidInputError` naming it otherwise."""
    if len(value) != HASH_BYTES:
        raise InvalidInputError(f"The {name} has {len(value)} bytes; it must have {HASH_BYTES}.")
    return value
