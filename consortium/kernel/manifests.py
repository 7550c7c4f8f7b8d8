"""Cohort manifests: what a site writes into its own folder before it commits to an attempt (protocol section 3).

A manifest names each leaf of the cohort by its two commitments S and C, never by a person. What opens them lies
beside it, not in it, so that erasing a subject's salts leaves the manifest and its digest as they were. The exact
count is inside the manifest and inside the cohort root's preimage; the chain sees root and band.
"""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consortium.kernel.bands import band
from consortium.kernel.canonical import canonical_json, parse_canonical
from consortium.kernel.consent_leaf import LeafContext, consent_leaf
from consortium.kernel.digests import bytes32_to_digest, digest_to_bytes32, sha256_digest
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.hashing import require_hash, tagged_hash
from consortium.kernel.identifiers import from_hex, to_hex
from consortium.kernel.secp256k1 import checksum_address
from consortium.kernel.trie import Trie

EPOCH_KIND = "consent"
COHORT_KIND = "cohort"
_FORMAT = "consilium-cohort/1"


@dataclass(frozen=True, slots=True)
class AttemptReference:
    """Which attempt of which run a cohort is for; round and attempt count from 1."""

    ledger: str
    run: uuid.UUID
    round: int
    attempt: int
    plan: str

    def __post_init__(self) -> None:
        if checksum_address(self.ledger) != self.ledger:
            raise InvalidInputError("The ledger's address is not in the spelling of EIP-55.")


@dataclass(frozen=True, slots=True)
class ConsentState:
    """The state that a cohort was chosen from: the site's newest epoch and its counter; times in Unix seconds."""

    epoch: int
    root: bytes
    seq: int
    as_of: int
    valid_until: int


@dataclass(frozen=True, slots=True)
class CohortManifest:
    """One site's cohort for one attempt; `entries` are (S, C) pairs in the order of S."""

    context: LeafContext
    attempt: AttemptReference
    state: ConsentState
    nonce: bytes
    entries: tuple[tuple[bytes, bytes], ...]

    def __post_init__(self) -> None:
        subjects = [subject for subject, _ in self.entries]
        if subjects != sorted(set(subjects)):
            raise InvalidInputError("A cohort's entries are in the order of their subjects, none of them twice.")
        require_hash(self.nonce, "nonce")
        require_hash(self.state.root, "epoch's root")

    @property
    def count(self) -> int:
        """The exact number of subjects: for the site and its auditors only."""
        return len(self.entries)

    @property
    def band(self) -> int:
        """The band that the commitment carries."""
        return band(self.count)

    def leaf(self, subject: bytes, consent: bytes) -> bytes:
        """Return the leaf of an entry, as it lies in the epoch."""
        return consent_leaf(self.context, subject, consent)

    def cohort_root(self) -> bytes:
        """Return the root that the commitment carries: the cohort's trie under the attempt's nonce."""
        trie = Trie(COHORT_KIND, {subject: self.leaf(subject, consent) for subject, consent in self.entries})
        return tagged_hash("consilium/cohort/1/root", self.nonce, trie.root)

    def to_bytes(self) -> bytes:
        """Return the manifest's canonical JSON, which is stored and digested."""
        return canonical_json(
            {
                "format": _FORMAT,
                "chain_id": self.context.chain_id,
                "consortium": str(self.context.consortium),
                "organization": str(self.context.organization),
                "ledger": self.attempt.ledger,
                "run": str(self.attempt.run),
                "round": self.attempt.round,
                "attempt": self.attempt.attempt,
                "plan": bytes32_to_digest(digest_to_bytes32(self.attempt.plan)),
                "epoch": self.state.epoch,
                "epoch_root": to_hex(self.state.root),
                "seq": self.state.seq,
                "as_of": self.state.as_of,
                "valid_until": self.state.valid_until,
                "nonce": to_hex(self.nonce),
                "count": self.count,
                "cohort_root": to_hex(self.cohort_root()),
                "entries": [[to_hex(subject), to_hex(consent)] for subject, consent in self.entries],
            }
        )

    def digest(self) -> str:
        """Return the digest of the manifest's bytes."""
        return sha256_digest(self.to_bytes())


def build_manifest(
    *, context: LeafContext, attempt: AttemptReference, state: ConsentState, cohort: Mapping[bytes, bytes]
) -> CohortManifest:
    """Return the manifest of a cohort (S to C) under a nonce of its own, fresh at every call."""
    return CohortManifest(context, attempt, state, secrets.token_bytes(32), tuple(sorted(cohort.items())))


def parse_manifest(data: bytes) -> CohortManifest:
    """Read a manifest from its bytes.

    Raises
    ------
    InvalidInputError
        If they are not canonical JSON of exactly this format, or count or root do not follow from the entries.
    """
    value = parse_canonical(data)
    try:
        manifest = _from_json(value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInputError("The document is not a cohort manifest.") from error
    # Everything derived, and every spelling, is checked by writing the manifest again.
    if manifest.to_bytes() != data:
        raise InvalidInputError("The manifest's count, root or fields do not follow from its entries.")
    return manifest


def _from_json(value: Mapping[str, Any]) -> CohortManifest:
    context = LeafContext(_natural(value["chain_id"]), uuid.UUID(value["consortium"]), uuid.UUID(value["organization"]))
    attempt = AttemptReference(
        value["ledger"], uuid.UUID(value["run"]), _natural(value["round"]), _natural(value["attempt"]), value["plan"]
    )
    numbers = (_natural(value[name]) for name in ("seq", "as_of", "valid_until"))
    state = ConsentState(_natural(value["epoch"]), _hash(value["epoch_root"]), *numbers)
    entries = tuple((_hash(subject), _hash(consent)) for subject, consent in value["entries"])
    return CohortManifest(context, attempt, state, _hash(value["nonce"]), entries)


def _hash(text: str) -> bytes:
    return from_hex(text, size_bytes=32)


def _natural(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a natural number")
    return value
