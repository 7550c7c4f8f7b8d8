"""The proof of one record as its page and its browser read it: bytes, path, checkpoint, witnesses, anchor."""

import base64
from dataclasses import dataclass
from typing import Any

from audit.log.errors import LogKeyError, NotIntegratedError
from audit.log.keys import published_key
from audit.log.proofs import InclusionProof, prove_inclusion
from audit.models import Anchor, AuditRecord, Checkpoint, Cosignature
from consortium.common.models import TransactionState
from consortium.membership.models import Organization

FORMAT = "consilium-record-proof/1"


@dataclass(frozen=True, slots=True)
class Witness:
    """A member that co-signed the checkpoint with its site key."""

    name: str
    signer: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A record's proof; `key` is the log's verifier key, empty where none is published."""

    inclusion: InclusionProof
    checkpoint: Checkpoint
    anchor: Anchor | None
    witnesses: tuple[Witness, ...]
    key: str


def proof_of(record: AuditRecord) -> Proof | None:
    """Return the proof under the first anchored checkpoint, else under the newest; None before there is one."""
    checkpoint = _checkpoint(record)
    if checkpoint is None:
        return None
    try:
        inclusion = prove_inclusion(record, checkpoint=checkpoint)
    except NotIntegratedError:
        return None
    anchor = Anchor.objects.filter(checkpoint=checkpoint).first()
    return Proof(inclusion, checkpoint, anchor, _witnesses(checkpoint), _key(checkpoint))


def as_json(record: AuditRecord, proof: Proof) -> dict[str, Any]:
    """Return everything that a browser needs to check the record by itself."""
    return {
        "format": FORMAT,
        "record": base64.b64encode(bytes(record.canonical)).decode(),
        **proof.inclusion.as_json(),
        "key": proof.key,
    }


def _checkpoint(record: AuditRecord) -> Checkpoint | None:
    index = getattr(record, "leaf_index", None)
    if index is None:
        return None
    over = Checkpoint.objects.filter(log_id=record.log_id, size__gt=index)
    anchored = over.filter(anchor__chain_state=TransactionState.CONFIRMED).order_by("size").first()
    return anchored or over.order_by("-size").first()


def _witnesses(checkpoint: Checkpoint) -> tuple[Witness, ...]:
    rows = list(Cosignature.objects.filter(checkpoint=checkpoint))
    names = dict(Organization.objects.filter(pk__in={row.organization_id for row in rows}).values_list("pk", "name"))
    return tuple(sorted((Witness(names.get(r.organization_id, ""), r.signer) for r in rows), key=lambda w: w.name))


def _key(checkpoint: Checkpoint) -> str:
    try:
        return str(published_key(checkpoint))
    except LogKeyError:
        return ""
