"""Signatures of organizations' keys over 32-byte digests: secp256k1 as Ethereum's contracts check it."""

import coincurve

from consortium.kernel.digests import keccak256
from consortium.kernel.errors import InvalidInputError, InvalidSignatureError
from consortium.kernel.hashing import require_hash

SIGNATURE_BYTES = 65
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def recover(digest: bytes, signature: bytes) -> str:
    """Return the checksummed address whose key signed the digest.

    Accepts what OpenZeppelin's ECDSA accepts and nothing else: r, s, v in 65 bytes, s in the lower
    half (EIP-2), v 27 or 28; so a signature taken here is not refused on the chain.

    Raises
    ------
    InvalidSignatureError
        If the signature has another form, or no key can have made it.
    """
    if len(signature) != SIGNATURE_BYTES or signature[64] not in (27, 28):
        raise InvalidSignatureError("A signature has 65 bytes, the last of them 27 or 28.")
    if int.from_bytes(signature[32:64], "big") > _ORDER // 2:
        raise InvalidSignatureError("The signature's s is in the upper half; contracts refuse it. Sign again.")
    compact = signature[:64] + bytes([signature[64] - 27])
    try:
        key = coincurve.PublicKey.from_signature_and_message(compact, require_hash(digest, "digest"), hasher=None)
    except (ValueError, OverflowError) as error:
        raise InvalidSignatureError("No key can have made this signature.") from error
    return _address(key)


def sign_digest(digest: bytes, private_key: bytes) -> bytes:
    """Return r, s, v (65 bytes; deterministic by RFC 6979, s in the lower half) over a 32-byte digest."""
    raw = coincurve.PrivateKey(private_key).sign_recoverable(require_hash(digest, "digest"), hasher=None)
    return bytes(raw[:64]) + bytes([raw[64] + 27])


def address_of(private_key: bytes) -> str:
    """Return the checksummed address of a private key of 32 bytes."""
    return _address(coincurve.PrivateKey(private_key).public_key)


def checksum_address(text: str) -> str:
    """Return an address of 20 bytes in the spelling of EIP-55; `InvalidInputError` if it is not an address."""
    try:
        raw = bytes.fromhex(text[2:])
    except ValueError as error:
        raise InvalidInputError("An address is 0x and 40 hexadecimal digits.") from error
    if text[:2] != "0x" or len(text) != 42 or len(raw) != 20:
        raise InvalidInputError("An address is 0x and 40 hexadecimal digits.")
    digits = raw.hex()
    pattern = keccak256(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(p, 16) > 7 else c for c, p in zip(digits, pattern, strict=False))


def _address(key: coincurve.PublicKey) -> str:
    return checksum_address("0x" + keccak256(key.format(compressed=False)[1:])[-20:].hex())
