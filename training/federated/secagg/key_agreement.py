"""Pairwise keys: X25519 (RFC 7748) and HKDF-SHA-256 (RFC 5869)."""

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from training.federated.errors import KeyAgreementError

KEY_BYTES = 32


def generate_private_key() -> bytes:
    """Return a fresh X25519 private key, 32 bytes from the operating system's generator."""
    return X25519PrivateKey.generate().private_bytes_raw()


def public_key(private: bytes) -> bytes:
    """Return the public key, 32 bytes, of a private key of 32 bytes."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def shared_secret(private: bytes, public: bytes) -> bytes:
    """Return X25519(private, public), 32 bytes.

    Raises
    ------
    KeyAgreementError
        If the public key has another size or low order (the result would be all zeros, RFC 7748 section 6.1).
    """
    try:
        return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:
        raise KeyAgreementError("A public key is not a usable X25519 key of 32 bytes.") from error


def derive_key(secret: bytes, info: bytes, *, salt: bytes | None = None, size_bytes: int = KEY_BYTES) -> bytes:
    """Return HKDF-SHA-256 of the secret; `info` names context, parties and use (see `AttemptContext.info`)."""
    return HKDF(SHA256(), size_bytes, salt, info).derive(secret)
