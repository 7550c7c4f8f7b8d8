"""A consent leaf: two salted commitments that open apart, bound to one organization of one chain.

    S    = H("consilium/consent/1/subject", salt_s, pseudonym)
    C    = H("consilium/consent/1/provisions", salt_c, canonical JSON of the effective provisions)
    leaf = H("consilium/consent/1/leaf", chain id in 32 bytes, consortium, organization, S, C)

H is `hashing.tagged_hash`; consortium and organization are bytes32. An auditor is opened C alone, a subject
both. The leaf lies in the epoch's trie under the key S. Once its salt is deleted, neither can be opened or guessed.
"""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from consortium.kernel.canonical import canonical_json
from consortium.kernel.errors import InvalidInputError, InvalidProofError
from consortium.kernel.hashing import require_hash, tagged_hash
from consortium.kernel.identifiers import uuid_to_bytes32

SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class LeafContext:
    """Whose leaves: no leaf of one organization, consortium or chain is one of another."""

    chain_id: int
    consortium: uuid.UUID
    organization: uuid.UUID


@dataclass(frozen=True, slots=True)
class ConsentOpening:
    """What opens C: its salt and the effective provisions (a JSON object)."""

    salt: bytes
    provisions: Mapping[str, Any]


def new_salt() -> bytes:
    """Return 32 fresh bytes of the operating system's generator; never use one twice."""
    return secrets.token_bytes(SALT_BYTES)


def subject_commitment(salt: bytes, pseudonym: str) -> bytes:
    """Return S, by which a subject is known in tries and revocations."""
    if not pseudonym:
        raise InvalidInputError("A subject's pseudonym is empty.")
    return tagged_hash("consilium/consent/1/subject", require_hash(salt, "salt"), pseudonym.encode())


def consent_commitment(salt: bytes, provisions: Mapping[str, Any]) -> bytes:
    """Return C, the commitment to what is permitted after the conflict policy."""
    return tagged_hash("consilium/consent/1/provisions", require_hash(salt, "salt"), canonical_json(dict(provisions)))


def consent_leaf(context: LeafContext, subject: bytes, consent: bytes) -> bytes:
    """Return the leaf of one subject and epoch, from S and C."""
    if not 0 < context.chain_id < 2**256:
        raise InvalidInputError(f"{context.chain_id} is not a chain id.")
    return tagged_hash(
        "consilium/consent/1/leaf",
        context.chain_id.to_bytes(32, "big"),
        uuid_to_bytes32(context.consortium),
        uuid_to_bytes32(context.organization),
        require_hash(subject, "subject commitment"),
        require_hash(consent, "consent commitment"),
    )


def verify_opening(consent: bytes, opening: ConsentOpening) -> None:
    """Return if the opening is what C commits to; `InvalidProofError` otherwise."""
    if not compare_digest(consent_commitment(opening.salt, opening.provisions), consent):
        raise InvalidProofError("The opened provisions are not the ones that were committed to.")
