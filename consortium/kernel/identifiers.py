"""Identifiers as the chain holds them: a UUID's 16 bytes at the left of a bytes32, zeros after."""

import re
import uuid
from functools import lru_cache

from consortium.kernel.errors import InvalidInputError

_PADDING = bytes(16)
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*\Z")


def uuid_to_bytes32(identifier: uuid.UUID) -> bytes:
    """Return the UUID's 16 bytes, left-aligned and padded with zeros to 32."""
    return identifier.bytes + _PADDING


def bytes32_to_uuid(raw: bytes) -> uuid.UUID:
    """Return the UUID that a bytes32 holds; `InvalidInputError` if the padding is not zero."""
    return _uuid_in(bytes(raw))


# A consortium's events name the same few organizations and runs again and again.
@lru_cache(maxsize=4096)
def _uuid_in(raw: bytes) -> uuid.UUID:
    if len(raw) != 32 or raw[16:] != _PADDING:
        raise InvalidInputError("An identifier on the chain is a UUID of 16 bytes and 16 zero bytes after it.")
    return uuid.UUID(bytes=raw[:16])


def to_hex(raw: bytes) -> str:
    """Return the bytes in lower-case hexadecimal with the prefix 0x."""
    return "0x" + raw.hex()


def from_hex(text: str, *, size_bytes: int | None = None) -> bytes:
    """Return the bytes of a 0x-prefixed text; `InvalidInputError` if malformed or of another size."""
    if not _HEX.match(text):
        raise InvalidInputError("Hexadecimal text starts with 0x and has an even number of digits.")
    raw = bytes.fromhex(text[2:])
    if size_bytes is not None and len(raw) != size_bytes:
        raise InvalidInputError(f"Expected {size_bytes} bytes, found {len(raw)}.")
    return raw
