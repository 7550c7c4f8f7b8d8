"""Salted commitments to personal fields: hiding while the salt is secret, unlinkable once it is deleted."""

import secrets

from consortium.kernel.digests import bytes32_to_digest
from consortium.kernel.hashing import tagged_hash

SALT_BYTES = 32
_TAG = "consilium/audit/personal/v1"


def new_salt() -> bytes:
    """Return 32 bytes of the operating system's randomness."""
    return secrets.token_bytes(SALT_BYTES)


def commitment(*, salt: bytes, name: str, value: str) -> str:
    """Return H(tag, salt, name, value) as `sha256:<hex>`; the name binds the value to its place in the record."""
    return bytes32_to_digest(tagged_hash(_TAG, salt, name.encode(), value.encode()))
