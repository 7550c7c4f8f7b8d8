"""Documents that a site signs for the platform: batches of consents, receipts, data sets, erasures.

Each is a JSON object with a `format` of its own; its digest is over the canonical JSON. The site key signs it as
an `AgentRequest` (EIP-712, off-chain domain): `method_path` is keccak-256 of "document " and the format, `body` the
document's SHA-256, `time` its `signed_at`, `nonce` zero, because what the document carries (a sequence number, an
identifier) makes it unique. A signature of one format is therefore none of another, and none of a request.
"""

import re
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from consortium.kernel.digests import digest_of, digest_to_bytes32, keccak256
from consortium.kernel.eip712 import AGENT_DOMAIN, Domain, typed_hash
from consortium.kernel.errors import InvalidInputError, InvalidSignatureError
from consortium.kernel.identifiers import from_hex, uuid_to_bytes32
from consortium.kernel.secp256k1 import SIGNATURE_BYTES, recover

BATCH_FORMAT = "consilium-consent-batch/1"
RECEIPT_FORMAT = "consilium-withdrawal-receipt/1"
ERASURE_FORMAT = "consilium-erasure/1"
# A batch is verified within one request.
MAX_ENTRIES = 1000
MAX_BATCH_BYTES = 4 * 1024 * 1024
MAX_CONSENTS = 256
_PSEUDONYM = re.compile(r"[0-9a-f]{64}\Z")
_MAX_NUMBER = 2**53 - 1

REASONS = ("subject_request", "objection", "representative", "other")


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One stripped consent and the line of the imported file that it stood on, from 1."""

    line: int
    resource: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Stripped consents of one site for one consortium.

    Sequence numbers count from 1 without a gap; `refused` is how many lines of the file the site did not take.
    """

    organization: uuid.UUID
    consortium: uuid.UUID
    sequence: int
    signed_at: int
    refused: int
    entries: tuple[BatchEntry, ...]

    def document(self) -> dict[str, Any]:
        """Return the object that is digested and signed."""
        return {
            "format": BATCH_FORMAT,
            "organization": str(self.organization),
            "consortium": str(self.consortium),
            "sequence": self.sequence,
            "signed_at": self.signed_at,
            "refused": self.refused,
            "entries": [{"line": entry.line, "resource": dict(entry.resource)} for entry in self.entries],
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    """A site's word that it has received a withdrawal: from then on it selects the subject no more."""

    organization: uuid.UUID
    withdrawal: uuid.UUID
    pseudonym: str
    consents: tuple[str, ...]
    reason: str
    signed_at: int

    def document(self) -> dict[str, Any]:
        """Return the object that is digested and signed."""
        return {
            "format": RECEIPT_FORMAT,
            "organization": str(self.organization),
            "withdrawal": str(self.withdrawal),
            "pseudonym": self.pseudonym,
            "consents": list(self.consents),
            "reason": self.reason,
            "signed_at": self.signed_at,
        }


@dataclass(frozen=True, slots=True)
class Erasure:
    """A site's word that it has deleted a subject's salts; `runs` are those that trained on them before."""

    organization: uuid.UUID
    pseudonym: str
    runs: tuple[uuid.UUID, ...]
    signed_at: int

    def document(self) -> dict[str, Any]:
        """Return the object that is digested and signed."""
        return {
            "format": ERASURE_FORMAT,
            "organization": str(self.organization),
            "pseudonym": self.pseudonym,
            "runs": [str(run) for run in self.runs],
            "signed_at": self.signed_at,
        }


class _Document(Protocol):
    def document(self) -> dict[str, Any]: ...


_Read = TypeVar("_Read", bound=_Document)


def document_message(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `AgentRequest` that a site key signs over the document."""
    return {
        "organization": uuid_to_bytes32(uuid.UUID(document["organization"])),
        "method_path": keccak256(f"document {document['format']}".encode()),
        "body": digest_to_bytes32(digest_of(dict(document))),
        "time": document["signed_at"],
        "nonce": bytes(32),
    }


def require_signature(
    document: Mapping[str, Any], signature: str, *, chain_id: int, site_keys: Collection[str]
) -> None:
    """Return if one of the keys signed the document; `InvalidSignatureError` otherwise."""
    raw = from_hex(signature, size_bytes=SIGNATURE_BYTES)
    signer = recover(typed_hash(Domain(AGENT_DOMAIN, chain_id), "AgentRequest", document_message(document)), raw)
    if signer.lower() not in {key.lower() for key in site_keys}:
        raise InvalidSignatureError("The document is not signed by the organization's present site key.")


def read_batch(value: Mapping[str, Any]) -> Batch:
    """Read a batch's document; `InvalidInputError` if a field is missing, unknown or of another type."""
    batch = _read(value, BATCH_FORMAT, _batch)
    if not 0 < len(batch.entries) <= MAX_ENTRIES or batch.sequence < 1:
        raise InvalidInputError(f"A batch has a number from 1 and 1 to {MAX_ENTRIES} entries.")
    return batch


def read_receipt(value: Mapping[str, Any]) -> Receipt:
    """Read a receipt's document; `InvalidInputError` if it is not exactly one."""
    receipt = _read(value, RECEIPT_FORMAT, _receipt)
    if receipt.reason not in REASONS or len(receipt.consents) > MAX_CONSENTS:
        raise InvalidInputError(f"A receipt has one of the reasons {', '.join(REASONS)} and names few consents.")
    return receipt


def read_erasure(value: Mapping[str, Any]) -> Erasure:
    """Read an erasure's document; `InvalidInputError` if it is not exactly one."""
    return _read(value, ERASURE_FORMAT, _erasure)


def natural(value: Any) -> int:
    """Return an exact whole number that JSON can carry; `ValueError` otherwise."""
    if type(value) is not int or not 0 <= value <= _MAX_NUMBER:
        raise ValueError("not a whole number")
    return value


def _read(value: Mapping[str, Any], form: str, build: Callable[[Mapping[str, Any]], _Read]) -> _Read:
    try:
        document = build(value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInputError(f"The document is not a {form}: a field is missing or of another type.") from error
    # Unknown fields and other spellings show up as a difference to what would be written.
    if document.document() != dict(value):
        raise InvalidInputError(f"The document is not a {form}: it has other fields, or spells one otherwise.")
    return document


def _batch(value: Mapping[str, Any]) -> Batch:
    entries = tuple(BatchEntry(natural(item["line"]), dict(item["resource"])) for item in value["entries"])
    return Batch(
        uuid.UUID(value["organization"]),
        uuid.UUID(value["consortium"]),
        natural(value["sequence"]),
        natural(value["signed_at"]),
        natural(value["refused"]),
        entries,
    )


def _receipt(value: Mapping[str, Any]) -> Receipt:
    return Receipt(
        uuid.UUID(value["organization"]),
        uuid.UUID(value["withdrawal"]),
        _pseudonym(value["pseudonym"]),
        tuple(_pseudonym(item) for item in value["consents"]),
        str(value["reason"]),
        natural(value["signed_at"]),
    )


def _erasure(value: Mapping[str, Any]) -> Erasure:
    return Erasure(
        uuid.UUID(value["organization"]),
        _pseudonym(value["pseudonym"]),
        tuple(uuid.UUID(item) for item in value["runs"]),
        natural(value["signed_at"]),
    )


def _pseudonym(value: Any) -> str:
    if type(value) is not str or not _PSEUDONYM.match(value):
        raise ValueError("not a pseudonym")
    return value
