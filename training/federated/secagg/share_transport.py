"""Shares on their way from dealer to holder, readable by the holder alone (AES-256-GCM)."""

import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from training.federated.errors import DealRefusedError
from training.federated.secagg.deals import ShareCommitments, ShareKind, SignedDeal, share_commitment
from training.federated.secagg.key_agreement import derive_key, shared_secret
from training.federated.secagg.opened import OpenedAttempt
from training.federated.secagg.shamir import SHARE_BYTES
from training.federated.wire import read_base64, read_object, read_uuid, write_base64

_NONCE_BYTES = 12
_TAG_BYTES = 16
CIPHERTEXT_BYTES = _NONCE_BYTES + 2 * SHARE_BYTES + _TAG_BYTES


@dataclass(frozen=True, slots=True)
class SharePair:
    """A holder's shares of one dealer's two secrets, 66 bytes each."""

    seed: bytes = field(repr=False)
    mask_key: bytes = field(repr=False)

    def of(self, kind: ShareKind) -> bytes:
        return self.seed if kind is ShareKind.SEED else self.mask_key

    def commitments(self, opened: OpenedAttempt, dealer: uuid.UUID, holder: uuid.UUID) -> ShareCommitments:
        made = (
            share_commitment(opened.context, dealer=dealer, holder=holder, kind=kind, share=self.of(kind))
            for kind in (ShareKind.SEED, ShareKind.MASK_KEY)
        )
        return ShareCommitments(*made)


@dataclass(frozen=True, slots=True)
class EncryptedShare:
    """A share pair under way; the platform carries it and cannot read it."""

    dealer: uuid.UUID
    holder: uuid.UUID
    ciphertext: bytes

    def to_wire(self) -> dict[str, object]:
        return {
            "dealer": str(self.dealer),
            "holder": str(self.holder),
            "ciphertext": write_base64(self.ciphertext),
        }

    @classmethod
    def from_wire(cls, value: object) -> Self:
        fields = read_object(value, ("dealer", "holder", "ciphertext"), what="encrypted share")
        return cls(
            read_uuid(fields["dealer"], what="dealer"),
            read_uuid(fields["holder"], what="holder"),
            read_base64(fields["ciphertext"], what="ciphertext", size_bytes=CIPHERTEXT_BYTES),
        )


def seal(
    opened: OpenedAttempt, dealer: uuid.UUID, holder: uuid.UUID, private: bytes, pair: SharePair
) -> EncryptedShare:
    """Encrypt a share pair with the dealer's transport key for one holder."""
    key, bound = _key(opened, dealer, holder, private, opened.keys_of(holder).transport_key)
    nonce = os.urandom(_NONCE_BYTES)
    return EncryptedShare(dealer, holder, nonce + AESGCM(key).encrypt(nonce, pair.seed + pair.mask_key, bound))


def unseal(opened: OpenedAttempt, deal: SignedDeal, sealed: EncryptedShare, private: bytes) -> SharePair:
    """Decrypt a share pair with the holder's transport key and hold it to the dealer's commitments.

    Raises
    ------
    DealRefusedError
        Naming the dealer, if the pair does not decrypt or is not what the dealer committed to.
    """
    key, bound = _key(opened, sealed.dealer, sealed.holder, private, opened.keys_of(sealed.dealer).transport_key)
    nonce, body = sealed.ciphertext[:_NONCE_BYTES], sealed.ciphertext[_NONCE_BYTES:]
    try:
        plain = AESGCM(key).decrypt(nonce, body, bound)
    except (InvalidTag, ValueError) as error:
        raise DealRefusedError(f"The shares of {sealed.dealer} do not decrypt here; leave that dealer out.") from error
    pair = SharePair(plain[:SHARE_BYTES], plain[SHARE_BYTES:])
    if pair.commitments(opened, sealed.dealer, sealed.holder) != deal.commitments[sealed.holder]:
        raise DealRefusedError(f"The shares of {sealed.dealer} are not those it committed to; leave that dealer out.")
    return pair


def by_dealers(
    opened: OpenedAttempt, holder: uuid.UUID, deals: Sequence[SignedDeal], shares: Sequence[EncryptedShare]
) -> tuple[dict[uuid.UUID, SignedDeal], dict[uuid.UUID, EncryptedShare]]:
    """Return deals and shares by dealer: at least t dealers, the holder among them, each other with a share for it.

    Raises
    ------
    DealRefusedError
    """
    dealt, sealed = {deal.dealer: deal for deal in deals}, {share.dealer: share for share in shares}
    if (len(dealt), len(sealed)) != (len(deals), len(shares)) or set(sealed) != set(dealt) - {holder}:
        raise DealRefusedError("Every dealer but this site is given once, with one deal and one encrypted share.")
    if holder not in dealt or len(dealt) < opened.parameters.t:
        raise DealRefusedError(f"At least t={opened.parameters.t} dealers are needed, this site among them.")
    if any(share.holder != holder for share in shares):
        raise DealRefusedError("An encrypted share is addressed to another holder.")
    return dealt, sealed


def _key(
    opened: OpenedAttempt, dealer: uuid.UUID, holder: uuid.UUID, private: bytes, public: bytes
) -> tuple[bytes, bytes]:
    # Both public keys are bound, as RFC 7748 section 6.1 advises; the dealer stands first: a key for each direction.
    info = opened.context.info(b"share-transport", dealer, holder)
    info += opened.keys_of(dealer).transport_key + opened.keys_of(holder).transport_key
    return derive_key(shared_secret(private, public), info), info
