"""Do checkpoints, co-signatures and anchors say what the records make?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from audit.log.anchors import AnchoredRoot
from audit.log.checks.findings import Finding
from audit.log.cosignatures import checkpoint_digest
from audit.models import AuditLog, Checkpoint, Cosignature
from consortium.kernel import checkpoints as kernel
from consortium.kernel.eip712 import Domain
from consortium.kernel.errors import ConsiliumError
from consortium.kernel.merkle_proofs import verify_consistency
from consortium.kernel.notes import NoteKey
from consortium.kernel.secp256k1 import recover

Roots = Mapping[int, bytes]


def check_checkpoints(
    log: AuditLog, checkpoints: Sequence[Checkpoint], roots: Roots, size: int, key: NoteKey
) -> Iterator[Finding]:
    """Yield checkpoints (in order of size) that are not the log's, forged, or do not follow from one another."""
    previous: Checkpoint | None = None
    for checkpoint in checkpoints:
        yield from _check_root("checkpoint", checkpoint.size, bytes(checkpoint.root), roots, size, previous)
        yield from _check_note(log, checkpoint, key)
        yield from _check_descent(checkpoint, previous)
        previous = checkpoint


def check_cosignatures(checkpoints: Iterable[Checkpoint], domains: Mapping[UUID, Domain]) -> Iterator[Finding]:
    """Yield co-signatures that are not by the address beside them; consortia without a known domain are left out."""
    for checkpoint in checkpoints:
        domain = domains.get(checkpoint.consortium_id) if checkpoint.consortium_id else None
        if domain is None:
            continue
        digest = checkpoint_digest(checkpoint, domain)
        for row in checkpoint.cosignatures.all():
            if not _is_signed(digest, row):
                text = f"The co-signature by {row.signer} at {checkpoint.size} leaves is false."
                yield Finding("cosignature_false", text, checkpoint.previous_size)


def check_anchors(anchored: Iterable[AnchoredRoot], roots: Roots, size: int) -> Iterator[Finding]:
    """Yield anchors that the records do not make: what an owner with every key cannot hide."""
    previous: AnchoredRoot | None = None
    for anchor in sorted(anchored, key=lambda anchor: anchor.size):
        name = f"anchor in block {anchor.block}"
        yield from _check_root(name, anchor.size, anchor.root, roots, size, previous)
        previous = anchor


def _is_signed(digest: bytes, row: Cosignature) -> bool:
    try:
        return recover(digest, bytes(row.signature)) == row.signer
    except ConsiliumError:
        return False


def _check_root(
    name: str, at: int, root: bytes, roots: Roots, size: int, previous: Checkpoint | AnchoredRoot | None
) -> Iterator[Finding]:
    begin = 0 if previous is None else previous.size
    code = f"{name.partition(' ')[0]}_contradicted"
    if at > size:
        yield Finding(code, f"The {name} holds {at} leaves; the log has {size}: its end was cut off.", size)
    elif roots.get(at) != root:
        text = f"The {name} of {at} leaves has another root than the records. "
        yield Finding(code, text + f"If {begin} agrees, a record from leaf {begin} up to {at} was altered.", begin)


def _check_note(log: AuditLog, checkpoint: Checkpoint, key: NoteKey) -> Iterator[Finding]:
    expected = kernel.Checkpoint(log.origin, checkpoint.size, bytes(checkpoint.root))
    try:
        signed, _ = kernel.open_checkpoint(checkpoint.note, key)
        text = "" if signed == expected else "says something else than its row"
    except ConsiliumError as error:
        text = f"is not signed by the log: {error.message}"
    if text:
        finding = f"The note of the checkpoint of {checkpoint.size} leaves {text}"
        yield Finding("note_false", finding, checkpoint.previous_size)


def _check_descent(checkpoint: Checkpoint, previous: Checkpoint | None) -> Iterator[Finding]:
    before = 0 if previous is None else previous.size
    try:
        true = checkpoint.previous_size == before
        if previous is not None and true:
            verify_consistency(
                first=before,
                second=checkpoint.size,
                first_root=bytes(previous.root),
                second_root=bytes(checkpoint.root),
                proof=[bytes.fromhex(value) for value in checkpoint.consistency],
            )
    except (ConsiliumError, ValueError, TypeError):
        true = False
    if not true:
        text = f"The checkpoint of {checkpoint.size} leaves does not follow from that of {before}."
        yield Finding("checkpoint_detached", text, before)
