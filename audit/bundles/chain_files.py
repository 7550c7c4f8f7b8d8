"""What a bundle shows of the chain (`verifier/FORMAT.md` sections 6 to 6.2): on a real one, proofs that are kept.

A development chain has no validators: its blocks are what its node says now, and the verifier calls them so.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from audit.bundles.errors import EvidenceMissingError
from audit.bundles.proofs import anchors_file, header_of_node
from audit.bundles.selection import Anchored, Selection
from consortium.kernel.canonical import canonical_json
from consortium.kernel.identifiers import to_hex
from contracts.chain import may_heal
from contracts.models import BlockProof, ChainEventRecord
from contracts.reading.capturing import GENESIS
from contracts.reading.evidence import EvidenceGateway
from contracts.reading.proof_keeping import genesis_source
from contracts.reading.validator_sets import CONTRACT, DIGEST_SLOT, REPLACED

NAMED = 10
Kept = Mapping[int, BlockProof]


def chain_files(selection: Selection, chain: EvidenceGateway) -> dict[str, bytes]:
    """Return the files below `chain/`.

    Raises
    ------
    EvidenceMissingError
        If a proof is not kept yet, or on a development chain if the node has another block than was read.
    ChainError
        If the node of a development chain does not answer.
    """
    if may_heal(chain):
        return {"chain/anchors.json": anchors_file(selection.anchors, header_of_node(chain))}
    if (consortium_id := selection.log.consortium_id) is None:
        raise RuntimeError("A bundle is of a consortium's log.")
    return _proven_files(consortium_id, selection.anchors)


def _proven_files(consortium_id: UUID, anchors: Sequence[Anchored]) -> dict[str, bytes]:
    source, anchored = genesis_source(consortium_id), {anchor.event.block_number for anchor in anchors}
    if source is None:
        # Another contract keeps the network's validators, and nothing of this consortium proves what it says.
        kept = _kept(consortium_id, anchored)
        headed = anchors_file(anchors, lambda anchor: kept[anchor.event.block_number].header)
        return {"chain/anchors.json": headed, "chain/receipts.json": receipts_file(anchors, kept)}
    kept = _kept(consortium_id, {GENESIS} | anchored | _changes(consortium_id, max(anchored, default=GENESIS)))
    return {
        "chain/anchors.json": anchors_file(anchors, lambda anchor: None),
        "chain/blocks.json": blocks_file(source.address, kept),
        "chain/receipts.json": receipts_file(anchors, kept),
    }


def blocks_file(source: str, kept: Kept) -> bytes:
    """Return blocks with their seals, and the sets of validators that they proved, each once."""
    blocks = [kept[number] for number in sorted(kept)]
    sets = list(dict.fromkeys(tuple(block.validators) for block in blocks))
    return canonical_json(
        {
            "source": {"address": source.lower(), "slot": DIGEST_SLOT},
            "sets": [list(members) for members in sets],
            "blocks": [
                {"header": block.header, "account": block.account_nodes, "digest": block.digest_nodes}
                for block in blocks
            ],
        }
    )


def receipts_file(anchors: Iterable[Anchored], kept: Kept) -> bytes:
    """Return the proof of each anchor's receipt, in the chain's order, a transaction once."""
    found = {(anchor.event.block_number, row["index"]): row for anchor in anchors for row in [_receipt(anchor, kept)]}
    return canonical_json(
        {
            "receipts": [
                {"block": block, "transaction": index, "proof": found[block, index]["nodes"]}
                for block, index in sorted(found)
            ]
        }
    )


def _receipt(anchor: Anchored, kept: Kept) -> dict[str, Any]:
    number, transaction_hash = anchor.event.block_number, to_hex(anchor.event.transaction_hash)
    row = kept[number].receipt_of(transaction_hash)
    if row is None:
        raise EvidenceMissingError(f"The proof that {transaction_hash} lies in block {number} is not kept.")
    return row


def _changes(consortium_id: UUID, last: int) -> set[int]:
    """The blocks up to the last anchor's in which the validators were replaced."""
    named: dict[str, Any] = {"consortium_id": consortium_id, "contract": CONTRACT, "name": REPLACED}
    stored = ChainEventRecord.objects.filter(**named, block_number__lte=last)
    return set(stored.values_list("block_number", flat=True))


def _kept(consortium_id: UUID, wanted: Collection[int]) -> dict[int, BlockProof]:
    rows = BlockProof.objects.filter(consortium_id=consortium_id, block_number__in=wanted)
    found = {row.block_number: row for row in rows}
    missing = [number for number in sorted(wanted) if number not in found or found[number].captured_at is None]
    if missing:
        raise EvidenceMissingError(_words(missing, found))
    return found


def _words(missing: list[int], found: Kept) -> str:
    named = ", ".join(map(str, missing[:NAMED])) + (", ..." if len(missing) > NAMED else "")
    said = found[missing[0]].missing_text if missing[0] in found else ""
    why = f" Block {missing[0]}: {said}" if said else ""
    return (
        f"No node has given the proofs of {len(missing)} blocks yet: {named}.{why} They are asked for again; if it "
        "stays so, the operator runs `manage.py chain proofs`."
    )
