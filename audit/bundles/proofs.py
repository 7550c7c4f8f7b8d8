"""The proofs of a bundle, in the forms that `verifier/FORMAT.md` fixes (sections 4 to 6)."""

import base64
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from audit.bundles.errors import EvidenceMissingError
from audit.bundles.selection import Anchored, Selection
from audit.log.nodes import with_nodes
from consortium.kernel.canonical import canonical_json
from consortium.kernel.identifiers import to_hex
from consortium.kernel.merkle import consistency_proof, inclusion_path
from contracts.reading.evidence import EvidenceGateway

HeaderOf = Callable[[Anchored], dict[str, str] | None]


def note_path(size: int) -> str:
    """Return where the checkpoint of a size lies."""
    return f"checkpoints/{size}.note"


def inclusion_file(selection: Selection) -> bytes:
    """Return one inclusion proof a record, all from one read of the stored tree."""
    size = selection.last.size
    paths = with_nodes(selection.log, lambda nodes: [inclusion_path(index, size, nodes) for index in range(size)])
    proofs = [{"index": index, "path": _base64(path)} for index, path in enumerate(paths)]
    return canonical_json({"checkpoint": note_path(size), "proofs": proofs})


def consistency_file(selection: Selection) -> bytes:
    """Return the proofs that each checkpoint extends the one before."""
    sizes = [checkpoint.size for checkpoint in selection.checkpoints]
    steps = list(pairwise(sizes))
    paths = (
        with_nodes(selection.log, lambda nodes: [consistency_proof(*step, nodes) for step in steps]) if steps else []
    )
    return canonical_json(
        {
            "proofs": [
                {"from": first, "to": second, "path": _base64(path)}
                for (first, second), path in zip(steps, paths, strict=True)
            ]
        }
    )


def anchors_file(anchors: Sequence[Anchored], header_of: HeaderOf) -> bytes:
    """Return what the chain took, each with its block's header, or without where the block is shown elsewhere."""
    return canonical_json({"anchors": [_anchor(anchor, header_of(anchor)) for anchor in anchors]})


def header_of_node(chain: EvidenceGateway) -> HeaderOf:
    """Return what asks a node for anchors' headers, and whether it still has their transactions.

    What it returns raises `EvidenceMissingError` if the node has another block or receipt than was read before, and
    `ChainError` if it does not answer.
    """

    def header_of(anchor: Anchored) -> dict[str, str]:
        _require_receipt(anchor, chain)
        return chain.header(anchor.event.block_number)

    return header_of


def _anchor(anchor: Anchored, header: dict[str, str] | None) -> dict[str, Any]:
    event = anchor.event
    return {
        "size": anchor.checkpoint.size,
        "root": to_hex(bytes(anchor.checkpoint.root)),
        "block": {
            "number": event.block_number,
            "hash": to_hex(event.block_hash),
            "timestamp": event.block_time,
            "header": header,
        },
        "receipt": {
            "transaction_hash": to_hex(event.transaction_hash),
            "status": 1,
            "log": {
                "address": event.address.lower(),
                "topics": [to_hex(topic) for topic in event.topics],
                "data": to_hex(event.data),
            },
        },
        "witnesses": [
            {"organization": to_hex(organization), "signature": to_hex(signature)}
            for organization, signature in anchor.witnesses
        ],
    }


def _require_receipt(anchor: Anchored, chain: EvidenceGateway) -> None:
    event = anchor.event
    receipt = chain.receipt(event.transaction_hash)
    if receipt is None or not receipt.succeeded or receipt.block_hash != event.block_hash:
        raise EvidenceMissingError(
            f"The node no longer has the transaction that anchored {anchor.checkpoint.size} records where it was read. "
            "It is tried again; if it stays so, ask the operator which chain CHAIN_RPC_URL names."
        )


def _base64(hashes: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(value).decode() for value in hashes]
