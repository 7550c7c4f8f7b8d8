"""The blocks and receipts of anchors: which of them validators' seals and proofs show, and which only a node says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consilium_verify.blocks import SealedBlock
from consilium_verify.chain.headers import Header, block_hash, plain_hash, read_header
from consilium_verify.chain.receipts import Log
from consilium_verify.events import Receipts, check_receipts
from consilium_verify.findings import Findings, RefusedError
from consilium_verify.manifest import Manifest
from consilium_verify.trust import Trust


@dataclass(frozen=True, slots=True)
class AnchorBlock:
    """The block that an anchor is said to lie in, and the event that is said to lie in it."""

    number: int
    hash: bytes
    timestamp: int
    header: Mapping[str, Any] | None
    event: Log


@dataclass(slots=True)
class _Proven:
    """How many blocks were sealed, and how many events lie in their block."""

    sealed: int = 0
    events: int = 0


def check_anchor_blocks(
    entries: Mapping[str, bytes],
    blocks: Mapping[str, AnchorBlock],
    manifest: Manifest,
    sealed: Mapping[int, SealedBlock] | None,
    trust: Trust | None,
    findings: Findings,
) -> None:
    """Hold the blocks, by the places of their anchors, to headers, seals, receipts, and to what the asker knows."""
    before = len(findings.refusals)
    headers = {number: block.header for number, block in (sealed or {}).items()}
    proven = _Proven()
    for place, block in blocks.items():
        with findings.at(place):
            if (header := _header_of(block, manifest)) is not None:
                headers.setdefault(block.number, header)
            proven.sealed += _is_sealed(block, sealed, trust)
    with findings.at("chain/anchors.json"):
        _check_known(list(blocks.values()), trust)
    receipts = check_receipts(entries, headers, findings)
    for place, block in blocks.items():
        with findings.at(place):
            proven.events += _is_in_block(block, receipts, sealed, trust)
    if len(findings.refusals) == before:
        _tell(len(blocks), proven, manifest, sealed is not None, findings)


def _header_of(block: AnchorBlock, manifest: Manifest) -> Header | None:
    if block.header is None:
        return None
    header = read_header(block.header)
    found = plain_hash(header) if manifest.chain.kind == "development" else block_hash(header)
    if found != block.hash:
        raise RefusedError("the block's hash does not follow from its header")
    if header.number != block.number:
        raise RefusedError("the block header has another number")
    if header.timestamp != block.timestamp:
        raise RefusedError("the block header has another time")
    return header


def _is_sealed(block: AnchorBlock, sealed: Mapping[int, SealedBlock] | None, trust: Trust | None) -> bool:
    if not sealed:
        return False
    if block.number not in sealed:
        # Before the first one nothing can be proven: the asker's own checkpoint is the beginning then.
        if trust is not None and trust.source is not None and block.number > min(sealed):
            raise RefusedError("the block is not among those that the validators' seals prove")
        return False
    known = sealed[block.number]
    if known.hash != block.hash:
        raise RefusedError("the block is not the one that the validators sealed at this height")
    if known.header.timestamp != block.timestamp:
        raise RefusedError("the validators sealed another time of the block")
    return True


def _is_in_block(
    block: AnchorBlock, receipts: Receipts | None, sealed: Mapping[int, SealedBlock] | None, trust: Trust | None
) -> bool:
    found = (receipts or {}).get(block.number)
    if found is None:
        if trust is not None and trust.source is not None and block.number in (sealed or {}):
            raise RefusedError("no receipt proves that the event lies in its block")
        return False
    if not any(receipt.succeeded and block.event in receipt.logs for receipt in found):
        raise RefusedError("no proven receipt of the block has this event")
    return True


def _check_known(blocks: Sequence[AnchorBlock], trust: Trust | None) -> None:
    known = dict([trust.pinned_block]) if trust is not None and trust.pinned_block else {}
    for block in blocks:
        if known.setdefault(block.number, block.hash) != block.hash:
            raise RefusedError(f"the block {block.number} has another hash than is known of it")


def _tell(count: int, proven: _Proven, manifest: Manifest, listed: bool, findings: Findings) -> None:
    if proven.sealed:
        findings.checked.append(f"{proven.sealed} of {count} anchors lie in blocks proven by the validators' seals")
    if proven.events:
        findings.checked.append(f"{proven.events} of {count} anchors' events are proven to lie in their blocks")
    if manifest.chain.kind == "development":
        findings.unchecked.append(
            "not sealed by validators: development chain. That a block really was on a chain of independent nodes, and "
            "its time, is the exporter's word"
        )
    elif proven.sealed < count:
        findings.unchecked.append(
            f"{count - proven.sealed} anchors' blocks and their time are the word of the exporter's node: "
            + ("no seals prove them" if listed else "the bundle has no sealed blocks")
        )
    if proven.events < count:
        findings.unchecked.append(
            f"no receipt proofs for {count - proven.events} anchors: that an event lies in its block is the exporter's "
            "word"
        )
    findings.unchecked.append("which transactions brought the anchors: their hashes are the exporter's word")
