"""`chain/anchors.json`: checkpoints of the log as the contract AuditAnchor took them, with witnesses' signatures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consilium_verify.anchor_blocks import AnchorBlock, check_anchor_blocks
from consilium_verify.blocks import SealedBlock
from consilium_verify.canonical import parse_canonical_object
from consilium_verify.chain.receipts import Log
from consilium_verify.ethereum import keccak256, recover, typed_data_digest
from consilium_verify.fields import array, exact, natural, raw
from consilium_verify.findings import Findings, RefusedError
from consilium_verify.manifest import Manifest
from consilium_verify.notes import Checkpoint
from consilium_verify.trust import Trust

ANCHORS = "chain/anchors.json"
CONTRACT = "AuditAnchor"
CHECKPOINT_TYPE = "Checkpoint(bytes32 log,uint64 size,bytes32 root)"
# The log is indexed: the topics are the event and the log, the data is size, root and witnesses.
EVENT = "CheckpointAnchored(bytes32,uint64,bytes32,bytes32[])"


@dataclass(frozen=True, slots=True)
class Anchor:
    """One anchored checkpoint, its event, and the block that it is said to lie in."""

    size: int
    root: bytes
    block: AnchorBlock
    succeeded: bool
    witnesses: Sequence[Any]


def check_anchors(
    entries: Mapping[str, bytes],
    manifest: Manifest,
    checkpoints: Sequence[Checkpoint],
    sealed: Mapping[int, SealedBlock] | None,
    trust: Trust | None,
    findings: Findings,
) -> None:
    """Hold each anchor to a checkpoint, its event, its witnesses, its block and its receipt."""
    anchors: list[Anchor] = []
    with findings.at(ANCHORS):
        anchors = _anchors(entries.get(ANCHORS, b""))
    before = len(findings.refusals)
    for number, anchor in enumerate(anchors, start=1):
        for check in (_check_checkpoint, _check_event, _check_witnesses):
            with findings.at(_place(number, anchor)):
                check(anchor, manifest, checkpoints, trust)
    with findings.at(ANCHORS):
        _check_order(anchors)
    if not anchors:
        findings.unchecked.append("no checkpoint was anchored on a chain: the log's own signature is all there is")
        return
    if len(findings.refusals) == before:
        _tell(anchors, checkpoints, trust, findings)
    blocks = {_place(number, anchor): anchor.block for number, anchor in enumerate(anchors, start=1)}
    check_anchor_blocks(entries, blocks, manifest, sealed, trust, findings)


def _place(number: int, anchor: Anchor) -> str:
    return f"{ANCHORS} anchor {number} (size {anchor.size})"


def _check_checkpoint(
    anchor: Anchor, _manifest: Manifest, checkpoints: Sequence[Checkpoint], _trust: Trust | None
) -> None:
    roots = {checkpoint.size: checkpoint.root for checkpoint in checkpoints}
    if checkpoints and anchor.size > checkpoints[-1].size:
        raise RefusedError("the log in the bundle is shorter than what was anchored")
    if anchor.size not in roots:
        raise RefusedError("the bundle lacks the checkpoint that was anchored")
    if roots[anchor.size] != anchor.root:
        raise RefusedError("another root was anchored than the log signed")


def _check_event(anchor: Anchor, manifest: Manifest, _checkpoints: Sequence[Checkpoint], _trust: Trust | None) -> None:
    event = anchor.block.event
    if not anchor.succeeded:
        raise RefusedError("the transaction failed")
    if event.address != _contract(manifest):
        raise RefusedError(f"the event is not of the contract {CONTRACT}")
    if event.topics != (keccak256(EVENT.encode()), manifest.log_id):
        raise RefusedError("the event is not an anchor of this log")
    if event.data != _event_data(anchor):
        raise RefusedError("the event carries another size or root, or other witnesses")


def _event_data(anchor: Anchor) -> bytes:
    """Encode size, root and the witnesses' organizations as the contract does (Solidity ABI)."""
    witnesses = [raw(exact(item, "organization", "signature")["organization"], 32) for item in anchor.witnesses]
    words = [anchor.size.to_bytes(32, "big"), anchor.root, (96).to_bytes(32, "big"), len(witnesses).to_bytes(32, "big")]
    return b"".join(words + witnesses)


def _check_witnesses(
    anchor: Anchor, manifest: Manifest, _checkpoints: Sequence[Checkpoint], trust: Trust | None
) -> None:
    message = {"log": "0x" + manifest.log_id.hex(), "size": str(anchor.size), "root": "0x" + anchor.root.hex()}
    digest = typed_data_digest(CONTRACT, manifest.chain.chain_id, _contract(manifest), CHECKPOINT_TYPE, message)
    signers: set[bytes] = set()
    for item in anchor.witnesses:
        witness = exact(item, "organization", "signature")
        organization, address = raw(witness["organization"], 32), recover(digest, raw(witness["signature"]))
        if organization in signers:
            raise RefusedError(f"the witness 0x{organization.hex()} is counted twice")
        if trust is not None and trust.organizations:
            member = trust.organizations.get(organization)
            if member is None or not member.held("site", address, anchor.block.number):
                raise RefusedError(f"the signature of the witness 0x{organization.hex()} is not by its site key")
        signers.add(organization)
    if trust is not None and len(signers) < trust.witness_quorum:
        raise RefusedError(f"{len(signers)} witnesses signed; the trust file asks for {trust.witness_quorum}")


def _check_order(anchors: Sequence[Anchor]) -> None:
    sizes, numbers = [anchor.size for anchor in anchors], [anchor.block.number for anchor in anchors]
    if sizes != sorted(set(sizes)) or numbers != sorted(numbers):
        raise RefusedError("sizes and blocks of the anchors do not both grow")


def _tell(
    anchors: Sequence[Anchor], checkpoints: Sequence[Checkpoint], trust: Trust | None, findings: Findings
) -> None:
    last = anchors[-1]
    findings.checked.append(
        f"{len(anchors)} anchors carry the log's own sizes and roots; the last is of {last.size} records "
        f"in block {last.block.number} with {len(last.witnesses)} witnesses"
    )
    if trust is None or not trust.organizations:
        findings.unchecked.append("whose keys the witnesses signed with: the trust file names no organizations")
    if last.size < checkpoints[-1].size:
        findings.unchecked.append(f"records from index {last.size} on are not anchored yet")


def _contract(manifest: Manifest) -> bytes:
    if CONTRACT not in manifest.chain.contracts:
        raise RefusedError(f"the manifest names no contract {CONTRACT}")
    return manifest.chain.contracts[CONTRACT]


def _anchors(content: bytes) -> list[Anchor]:
    value = exact(parse_canonical_object(content), "anchors")
    return [_anchor(item) for item in array(value["anchors"], 100_000)]


def _anchor(item: Any) -> Anchor:
    anchor = exact(item, "size", "root", "block", "receipt", "witnesses")
    block = exact(anchor["block"], "number", "hash", "timestamp", "header")
    receipt = exact(anchor["receipt"], "transaction_hash", "status", "log")
    raw(receipt["transaction_hash"], 32)
    header = block["header"]
    if header is not None and not isinstance(header, dict):
        raise RefusedError("a block header is neither an object nor null")
    placed = AnchorBlock(
        natural(block["number"]), raw(block["hash"], 32), natural(block["timestamp"]), header, _log(receipt["log"])
    )
    return Anchor(
        natural(anchor["size"]),
        raw(anchor["root"], 32),
        placed,
        natural(receipt["status"]) == 1,
        array(anchor["witnesses"], 200),
    )


def _log(value: Any) -> Log:
    event = exact(value, "address", "topics", "data")
    topics = tuple(raw(topic, 32) for topic in array(event["topics"], 4))
    return Log(raw(event["address"], 20), topics, raw(event["data"]))
