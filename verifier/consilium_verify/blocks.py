"""`chain/blocks.json`: blocks with the validators' seals, and their sets proven forward from a known block."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consilium_verify.canonical import parse_canonical_object
from consilium_verify.chain.headers import Header, read_header
from consilium_verify.chain.histories import History
from consilium_verify.chain.validators import MOST_VALIDATORS, SetProof, Source, ValidatorSet
from consilium_verify.fields import array, exact, nodes, raw
from consilium_verify.findings import Findings, RefusedError
from consilium_verify.manifest import Manifest
from consilium_verify.trust import Trust, read_source

BLOCKS = "chain/blocks.json"
CONTRACT, SLOT = "ValidatorSource", 1
MOST_BLOCKS, MOST_SETS = 200_000, 10_000


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """A block that validators in force sealed, or that is known by its hash."""

    header: Header
    hash: bytes


@dataclass(frozen=True, slots=True)
class Listed:
    """What the file says: the source, the lists by digest, and each block with the proof of the set after it."""

    source: Source
    sets: Mapping[bytes, ValidatorSet]
    blocks: Sequence[tuple[Header, SetProof]]


def check_blocks(
    entries: Mapping[str, bytes], manifest: Manifest, trust: Trust | None, findings: Findings
) -> dict[int, SealedBlock] | None:
    """Return the blocks by number that the validators' seals prove; None where the bundle has none to show.

    After the first refusal the blocks behind it are not looked at: nothing is known of the set that sealed them.
    """
    if BLOCKS not in entries:
        if trust is not None and trust.source is not None:
            findings.refuse(
                BLOCKS, "the trust file names the validators' contract, and the bundle has no sealed blocks"
            )
        return None
    before = len(findings.refusals)
    sealed: dict[int, SealedBlock] = {}
    with findings.at(BLOCKS):
        listed = _listed(entries[BLOCKS])
        _require_source(listed.source, manifest, trust)
        history = _followed(listed, manifest, trust, sealed, findings)
        if len(findings.refusals) == before and history is not None:
            _require_pinned(sealed, trust)
            _tell(history, sealed, trust, findings)
    return sealed


def _followed(
    listed: Listed,
    manifest: Manifest,
    trust: Trust | None,
    sealed: dict[int, SealedBlock],
    findings: Findings,
) -> History | None:
    history: History | None = None
    used: set[bytes] = set()
    for header, proof in listed.blocks:
        before = len(findings.refusals)
        with findings.at(f"{BLOCKS} block {header.number}"):
            if history is None:
                history = History.begin(listed.source, listed.sets, header, _first(header, manifest, trust), proof)
            else:
                history.extend(header, proof)
            _require_known(history, trust)
            sealed[header.number] = SealedBlock(header, history.head_hash)
            used.add(history.in_force.digest)
        if len(findings.refusals) > before:
            return None
    if used != listed.sets.keys():
        raise RefusedError("a list of validators is there that no block of the file had in force")
    return history


def _first(header: Header, manifest: Manifest, trust: Trust | None) -> bytes:
    """Return the hash that the first block must have."""
    pinned = None if trust is None else trust.pinned_block
    if header.number == 0:
        return manifest.chain.genesis
    if pinned is None or pinned[0] != header.number:
        raise RefusedError("the blocks begin neither with block 0 nor with the one that the trust file pins")
    return pinned[1]


def _require_known(history: History, trust: Trust | None) -> None:
    pinned = None if trust is None else trust.pinned_block
    if pinned is not None and pinned[0] == history.head.number and pinned[1] != history.head_hash:
        raise RefusedError("the block is not the one that the trust file pins at this height")


def _require_pinned(sealed: Mapping[int, SealedBlock], trust: Trust | None) -> None:
    pinned = None if trust is None else trust.pinned_block
    if pinned is not None and pinned[0] not in sealed and max(sealed) > pinned[0]:
        raise RefusedError(
            f"there are blocks after the trust file's checkpoint {pinned[0]} and not that block: a later history that "
            "does not lead through it could be sealed with leaked keys of validators that have left"
        )


def _require_source(source: Source, manifest: Manifest, trust: Trust | None) -> None:
    if manifest.chain.kind != "qbft":
        raise RefusedError("the manifest's chain is a development chain: it has no validators who seal")
    contract = manifest.chain.contracts.get(CONTRACT)
    expected = None if contract is None else Source(contract, SLOT)
    if trust is not None and trust.source is not None:
        expected = trust.source
    if source != expected:
        raise RefusedError("the validators' contract or the slot of its digest is not the one that is known")


def _tell(history: History, sealed: Mapping[int, SealedBlock], trust: Trust | None, findings: Findings) -> None:
    first, last, after = min(sealed), max(sealed), history.in_force
    findings.checked.append(
        f"{len(sealed)} blocks from {first} to {last} are proven by the validators' seals, over {history.changes} "
        f"changes of their set; after the last {after.quorum} of {len(after.members)} are a quorum"
    )
    if first == 0 and trust is not None and trust.genesis is None:
        findings.unchecked.append("that block 0 is this chain's: the trust file names no genesis block")


def _listed(content: bytes) -> Listed:
    value = exact(parse_canonical_object(content), "source", "sets", "blocks")
    sets = [ValidatorSet(_members(item)) for item in array(value["sets"], MOST_SETS)]
    by_digest = {validators.digest: validators for validators in sets}
    if len(by_digest) != len(sets):
        raise RefusedError("a list of validators is there twice")
    blocks = [_block(item) for item in array(value["blocks"], MOST_BLOCKS)]
    if not blocks:
        raise RefusedError("the file has no blocks")
    return Listed(read_source(value["source"]), by_digest, blocks)


def _members(value: Any) -> tuple[bytes, ...]:
    return tuple(raw(member, 20) for member in array(value, MOST_VALIDATORS))


def _block(item: Any) -> tuple[Header, SetProof]:
    block = exact(item, "header", "account", "digest")
    if not isinstance(block["header"], dict):
        raise RefusedError("a block's header is not an object")
    return read_header(block["header"]), SetProof(nodes(block["account"]), nodes(block["digest"]))
