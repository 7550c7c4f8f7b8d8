"""A dealer's shares: what it commits to in public and signs, and what it sends to each holder."""

import enum
import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from consortium.kernel.canonical import canonical_json
from consortium.kernel.identifiers import uuid_to_bytes32
from training.federated.errors import DealRefusedError
from training.federated.secagg.context import AttemptContext
from training.federated.secagg.opened import OpenedAttempt
from training.federated.secagg.parameters import MAX_SITES
from training.federated.wire import (
    read_base64,
    read_hex,
    read_map,
    read_object,
    read_uuid,
    write_base64,
    write_hex,
)

SignedFields = Mapping[str, int | bytes]
# sign(kind, fields): the site key's EIP-712 signature; verify raises unless it is that organization's.
Sign = Callable[[str, SignedFields], bytes]
Verify = Callable[[uuid.UUID, str, SignedFields, bytes], None]

SHARE_DEAL = "ShareDeal"
_DIGEST_BYTES = 32
# A contract wallet's EIP-1271 signature may be longer than an account's 65 bytes.
MAX_SIGNATURE_BYTES = 1024


class ShareKind(enum.StrEnum):
    """Which of a dealer's two secrets a share belongs to; a holder gives out one kind a dealer."""

    SEED = "seed"
    MASK_KEY = "mask_key"


@dataclass(frozen=True, slots=True)
class ShareCommitments:
    """Commitments to the two shares that one holder gets, 32 bytes each."""

    seed: bytes
    mask_key: bytes

    def of(self, kind: ShareKind) -> bytes:
        return self.seed if kind is ShareKind.SEED else self.mask_key


@dataclass(frozen=True, slots=True)
class SignedDeal:
    """The public part of a deal: who dealt, a commitment to every share, and the dealer's signature."""

    dealer: uuid.UUID
    commitments: Mapping[uuid.UUID, ShareCommitments]
    signature: bytes

    def to_wire(self) -> dict[str, object]:
        return {
            "dealer": str(self.dealer),
            "commitments": commitments_to_wire(self.commitments),
            "signature": write_base64(self.signature),
        }

    @classmethod
    def from_wire(cls, value: object) -> Self:
        fields = read_object(value, ("dealer", "commitments", "signature"), what="share deal")
        holders = read_map(fields["commitments"], what="commitments", max_items=MAX_SITES)
        return cls(
            read_uuid(fields["dealer"], what="dealer"),
            {holder: _read_commitments(entry) for holder, entry in holders.items()},
            read_base64(fields["signature"], what="signature", max_bytes=MAX_SIGNATURE_BYTES),
        )


def share_commitment(
    context: AttemptContext, *, dealer: uuid.UUID, holder: uuid.UUID, kind: ShareKind, share: bytes
) -> bytes:
    """Return SHA-256 over context, dealer, holder, kind and share; hiding because a share has 521 random bits."""
    label = b"share-commitment/" + kind.value.encode()
    return hashlib.sha256(context.info(label, dealer, holder) + share).digest()


def deal_fields(opened: OpenedAttempt, deal: SignedDeal) -> SignedFields:
    """Return the fields of the EIP-712 type ShareDeal that the dealer signs.

    `commitments` is SHA-256 of the context's encoding and the canonical JSON of roster digest (hex), the
    dealer's mask-key digest (hex) and all share commitments, so that one signature binds all of them.
    """
    document = {
        "roster": write_hex(opened.roster_digest()),
        "mask_keys": write_hex(opened.keys_of(deal.dealer).digest(opened.context)),
        "commitments": commitments_to_wire(deal.commitments),
    }
    context = opened.context
    return {
        "run": uuid_to_bytes32(context.run),
        "round": context.round,
        "attempt": context.attempt,
        "organization": uuid_to_bytes32(deal.dealer),
        "commitments": hashlib.sha256(context.encode() + canonical_json(document)).digest(),
    }


def ensure_deal(opened: OpenedAttempt, deal: SignedDeal, verify: Verify) -> None:
    """Refuse a deal that is not by a member, not to exactly the roster, or not signed by its dealer."""
    opened.index(deal.dealer)
    if set(deal.commitments) != set(opened.roster):
        raise DealRefusedError(f"The deal of {deal.dealer} is not addressed to exactly this attempt's roster.")
    verify(deal.dealer, SHARE_DEAL, deal_fields(opened, deal), deal.signature)


def commitments_to_wire(commitments: Mapping[uuid.UUID, ShareCommitments]) -> dict[str, object]:
    return {
        str(holder): {"seed": write_hex(entry.seed), "mask_key": write_hex(entry.mask_key)}
        for holder, entry in commitments.items()
    }


def _read_commitments(value: object) -> ShareCommitments:
    fields = read_object(value, ("seed", "mask_key"), what="pair of share commitments")
    return ShareCommitments(*(read_hex(fields[n], what=n, size_bytes=_DIGEST_BYTES) for n in ("seed", "mask_key")))
