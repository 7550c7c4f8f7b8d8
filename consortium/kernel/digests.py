"""Digests: SHA-256 off chain, written `sha256:<hex>`; keccak-256 where a contract checks them."""

import hashlib
import re

from Crypto.Hash import keccak

from consortium.kernel.canonical import canonical_json
from consortium.kernel.errors import InvalidInputError

_PREFIX = "sha256:"
# \Z, not $: a trailing newline is another text
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


def sha256_digest(data: bytes) -> str:
    """Return the SHA-256 of the bytes, written `sha256:` and 64 lower-case hexadecimal digits."""
    return _PREFIX + hashlib.sha256(data).hexdigest()


def digest_of(value: object) -> str:
    """Return the digest of a value's canonical JSON; `InvalidInputError` if it has none."""
    return sha256_digest(canonical_json(value))


def digest_to_bytes32(text: str) -> bytes:
    """Return the 32 bytes of a written digest, as they go into a contract's bytes32."""
    if not _DIGEST.match(text):
        raise InvalidInputError("A digest is written sha256: and 64 lower-case hexadecimal digits.")
    return bytes.fromhex(text[len(_PREFIX) :])


def bytes32_to_digest(raw: bytes) -> str:
    """Return the written form of 32 digest bytes."""
    if len(raw) != 32:
        raise InvalidInputError(f"A SHA-256 digest has 32 bytes, not {len(raw)}.")
    return _PREFIX + raw.hex()


def keccak256(data: bytes) -> bytes:
    """Return Ethereum's keccak-256 (the padding before FIPS 202), 32 bytes."""
    return keccak.new(digest_bits=256, data=data).digest()
