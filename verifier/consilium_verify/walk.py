"""`consilium-verify blocks`: blocks as a node answered them, followed from a genesis file on, without any bundle.

For whoever runs a node and wants to know whether it tells the chain that the validators sealed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from consilium_verify.canonical import parse_json
from consilium_verify.chain.accounts import proven_slot
from consilium_verify.chain.genesis import Genesis, read_genesis
from consilium_verify.chain.headers import Header, block_hash
from consilium_verify.chain.histories import History
from consilium_verify.chain.validators import SetProof, Source, ValidatorSet, listed
from consilium_verify.chain.votes import VotedHistory
from consilium_verify.fields import array, exact, nodes, raw
from consilium_verify.findings import Findings, RefusedError
from consilium_verify.node_answers import answered_header, quantity, whole_bytes


@dataclass(frozen=True, slots=True)
class Slots:
    """Where the validators' contract keeps the digest of its list, and the list."""

    digest: int
    list: int


@dataclass(frozen=True, slots=True)
class Proof:
    """An answer to `eth_getProof` of the validators' contract: its set, and the proof of the set's digest."""

    validators: ValidatorSet
    digest: SetProof


def walk(genesis: bytes, blocks: Iterable[bytes], proofs: Iterable[bytes], slots: Slots, findings: Findings) -> None:
    """Follow the blocks, one answer to `eth_getBlockByNumber` a line, from the genesis file on.

    `proofs` has a line `{"block": number, "proof": answer to eth_getProof}` for each block that may have replaced
    validators, with the slots of digest and list: blocks may be left out between two that have one.
    """
    with findings.at("genesis"):
        begin = read_genesis(parse_json(genesis))
        follow = _voted(begin) if begin.contract is None else _asked(begin, _proofs(proofs, slots, findings), slots)
        if not findings.refusals:
            _follow(begin, follow, blocks, findings)


class _Asked:
    """A history whose validators a contract keeps, with the proofs at hand."""

    def __init__(self, history: History, proofs: Mapping[int, Proof]) -> None:
        self.history, self.proofs = history, proofs

    def extend(self, header: Header) -> None:
        proof = self.proofs.get(header.number)
        self.history.extend(header, None if proof is None else proof.digest)


def _asked(begin: Genesis, proofs: Mapping[int, Proof], slots: Slots) -> _Asked:
    first = listed(begin.storage, slots.list)
    if begin.storage.get(slots.digest) != int.from_bytes(first.digest, "big"):
        raise RefusedError("the genesis file's digest of the validators is not that of its list")
    sets = {first.digest: first} | {proof.validators.digest: proof.validators for proof in proofs.values()}
    source = Source(begin.contract or b"", slots.digest)
    return _Asked(History(source, sets, begin.header, block_hash(begin.header), first), proofs)


def _voted(begin: Genesis) -> VotedHistory:
    if begin.voted is None:
        raise RefusedError("the genesis file names no validators")
    return VotedHistory(begin.header, block_hash(begin.header), begin.voted, begin.epoch)


def _follow(begin: Genesis, follow: _Asked | VotedHistory, blocks: Iterable[bytes], findings: Findings) -> None:
    count = 0
    for line, content in enumerate(blocks, start=1):
        with findings.at(f"blocks line {line}"):
            answer = _object(content)
            header = answered_header(answer)
            _require_hash(header, answer)
            if header.number == 0:
                _require_genesis(begin, header)
            else:
                follow.extend(header)
            count += 1
        if findings.refusals:
            return
    history = follow.history if isinstance(follow, _Asked) else follow
    findings.checked.append(
        f"{count} blocks up to {history.head.number} follow from the genesis file, sealed by validators in force, over "
        f"{history.changes} changes of their set"
    )
    findings.assumed.append("fewer than a third of each set of validators was faulty in its time")
    findings.assumed.append("keys of validators that have left were not leaked")
    findings.unchecked.append("transactions, receipts and state behind the headers' roots")


def _require_hash(header: Header, answer: Mapping[str, Any]) -> None:
    if raw(whole_bytes(answer.get("hash")), 32) != block_hash(header):
        raise RefusedError("the node's hash of the block does not follow from its header")


def _require_genesis(begin: Genesis, header: Header) -> None:
    if block_hash(header) != block_hash(begin.header):
        raise RefusedError("block 0 is not the one that the genesis file describes")


def _proofs(lines: Iterable[bytes], slots: Slots, findings: Findings) -> dict[int, Proof]:
    found: dict[int, Proof] = {}
    for number, line in enumerate(lines, start=1):
        with findings.at(f"proofs line {number}"):
            row = _object(line)
            if not isinstance(row.get("block"), int) or not isinstance(row.get("proof"), dict):
                raise RefusedError("expected an object with block, a number, and proof, what eth_getProof answered")
            found[row["block"]] = _proof(row["proof"], slots)
    return found


def _proof(answer: Mapping[str, Any], slots: Slots) -> Proof:
    """Read a proof; the account's storage root is proven later, when the block's state root is known."""
    slots_given = [exact(slot, "key", "value", "proof") for slot in array(answer.get("storageProof"), 1000)]
    paths = {quantity(slot["key"]): nodes(slot["proof"]) for slot in slots_given}
    storage_root = raw(answer.get("storageHash"), 32)
    words = {slot: proven_slot(storage_root, slot, path) for slot, path in paths.items()}
    if slots.digest not in paths:
        raise RefusedError("the proof does not have the slot of the digest")
    return Proof(listed(words, slots.list), SetProof(nodes(answer.get("accountProof")), paths[slots.digest]))


def _object(line: bytes) -> dict[str, Any]:
    value = parse_json(line)
    if not isinstance(value, dict):
        raise RefusedError("a line is not a JSON object")
    return value
