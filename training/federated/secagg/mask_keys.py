"""The public part of a site's secrets for one attempt, as its commitment on the chain names it."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Self

from consortium.kernel.canonical import canonical_json
from training.federated.secagg.context import AttemptContext
from training.federated.secagg.key_agreement import KEY_BYTES, generate_private_key, public_key
from training.federated.wire import read_hex, read_object, read_uuid, write_hex


@dataclass(frozen=True, slots=True)
class MaskKeys:
    """What the others need: two X25519 public keys and the commitment to the self-mask seed, 32 bytes each."""

    organization: uuid.UUID
    transport_key: bytes
    mask_key: bytes
    seed_commitment: bytes

    def digest(self, context: AttemptContext) -> bytes:
        """Return the 32 bytes that stand as `maskKeys` in the site's signed Commitment.

        SHA-256 over the context's fixed-width encoding and the canonical JSON of the wire form.
        """
        return hashlib.sha256(context.encode() + canonical_json(self.to_wire())).digest()

    def to_wire(self) -> dict[str, object]:
        return {
            "organization": str(self.organization),
            "transport_key": write_hex(self.transport_key),
            "mask_key": write_hex(self.mask_key),
            "seed_commitment": write_hex(self.seed_commitment),
        }

    @classmethod
    def from_wire(cls, value: object) -> Self:
        names = ("transport_key", "mask_key", "seed_commitment")
        fields = read_object(value, ("organization", *names), what="set of mask keys")
        return cls(
            read_uuid(fields["organization"], what="organization"),
            *(read_hex(fields[name], what=name, size_bytes=KEY_BYTES) for name in names),
        )


@dataclass(frozen=True, slots=True)
class AttemptSecrets:
    """What masks one vector in one attempt, from the operating system's generator and from nowhere else."""

    transport_private: bytes = field(repr=False)
    mask_private: bytes = field(repr=False)
    seed: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        return cls(generate_private_key(), generate_private_key(), secrets.token_bytes(KEY_BYTES))

    def public(self, context: AttemptContext, organization: uuid.UUID) -> MaskKeys:
        return MaskKeys(
            organization,
            public_key(self.transport_private),
            public_key(self.mask_private),
            seed_commitment(context, organization, self.seed),
        )


def seed_commitment(context: AttemptContext, organization: uuid.UUID, seed: bytes) -> bytes:
    """Return SHA-256 over context, owner and seed; hiding because the seed has 256 random bits."""
    return hashlib.sha256(context.info(b"seed-commitment", organization, organization) + seed).digest()
