"""A key that signs typed data, wherever it lies; what it gives back is held to its address before it is used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from consortium.kernel.digests import keccak256
from consortium.kernel.eip712 import Domain, typed_document, typed_encoding
from consortium.kernel.errors import InvalidSignatureError
from consortium.kernel.secp256k1 import SIGNATURE_BYTES, recover
from contracts.signing.errors import SignerNotTrustedError

# Ethereum writes 27 and 28; some devices give the bare recovery id.
_BARE_RECOVERY_IDS = (0, 1)


@dataclass(frozen=True, slots=True)
class TypedData:
    """An EIP-712 message of the consortium in the domain it is signed for."""

    domain: Domain
    primary: str
    message: Mapping[str, Any]

    @property
    def encoding(self) -> bytes:
        """The 66 bytes that are hashed; `InvalidInputError` if the message is not exactly of its type."""
        return typed_encoding(self.domain, self.primary, self.message)

    @property
    def digest(self) -> bytes:
        """The 32 bytes that are signed."""
        return keccak256(self.encoding)

    def document(self) -> dict[str, Any]:
        """Return it as `eth_signTypedData` takes it."""
        return typed_document(self.domain, self.primary, self.message)


class SigningKey(Protocol):
    """One key: a v3 keystore that was opened, or one behind Web3Signer."""

    @property
    def address(self) -> str:
        """The key's address in the spelling of EIP-55."""

    @property
    def place(self) -> str:
        """Where the key lies, in a word or two for people."""

    def sign(self, data: TypedData) -> bytes:
        """Return r, s, v (65 bytes); a caller takes it through `checked_signature`."""


def checked_signature(raw: bytes, digest: bytes, address: str) -> bytes:
    """Return the signature in the one form that contracts take, made by this address over this digest.

    A v of 0 or 1 becomes 27 or 28; nothing else is mended.

    Raises
    ------
    SignerNotTrustedError
        If it has another form, an s in the upper half, or is of another key or over another digest.
    """
    if len(raw) == SIGNATURE_BYTES and raw[-1] in _BARE_RECOVERY_IDS:
        raw = raw[:-1] + bytes([raw[-1] + 27])
    try:
        signer = recover(digest, raw)
    except InvalidSignatureError as error:
        raise SignerNotTrustedError(f"What the signer gave back is no signature. {error.message}") from error
    if signer != address:
        raise SignerNotTrustedError(
            f"The signer gave back a signature of another key, or over other bytes than asked for (key {address}). "
            "It was not used. Find out who answers there."
        )
    return raw
