"""Blocks of a real QBFT network verified by the off-line verifier, beside the cryptography alone that they need."""

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.harness.figures import FigureDict, figure
from benchmarks.harness.progress import say
from benchmarks.harness.running import ROOT

RECORDED = ROOT / "verifier" / "tests" / "data" / "besu"
ROUNDS = 20
# The goals, a second on one core: a year's changes and anchors of a consortium in a minute.
BLOCKS, PROOFS = 200, 500
ALONE = "keccak-256 and recoveries of the same seals alone"
HASHED = "keccak-256 of the same nodes alone"


def run() -> list[FigureDict]:
    """Return the figures; processor time of this process, so that others on the machine do not count."""
    verifier = str(ROOT / "verifier")
    sys.path.insert(0, verifier)
    try:
        return measure()
    finally:
        sys.path.remove(verifier)


def measure() -> list[FigureDict]:
    """Follow the recorded chain from genesis on, and hold its storage proofs to their roots."""
    blocks, proofs = _lines("blocks.jsonl"), _lines("proofs.jsonl")
    say(f"verifying {len(blocks):,} recorded blocks, {ROUNDS} times")
    follow, alone = _following(blocks, proofs)
    verified = _rate(follow) * (len(blocks) - 1)
    floor = _rate(alone) * (len(blocks) - 1)
    say("verifying storage proofs")
    prove, hash_nodes, count = _proving(proofs)
    return [
        _figure("blocks, from JSON", verified, "blocks/s", ALONE, floor, BLOCKS),
        _figure("storage proofs", _rate(prove) * count, "proofs/s", HASHED, _rate(hash_nodes) * count, PROOFS),
    ]


def _following(blocks: list[Any], proofs: list[Any]) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return the verification of all blocks, and the cryptography that it cannot do without."""
    walk, findings = _module("walk"), _module("findings")
    rows = [{"block": row["block"], "proof": row["response"]["result"]} for row in proofs if _of_source(row)]
    genesis = (RECORDED / "genesis.json").read_bytes()
    block_lines, proof_lines = ([json.dumps(item).encode() for item in items] for items in (blocks, rows))

    def follow() -> None:
        found = findings.Findings()
        walk.walk(genesis, block_lines, proof_lines, walk.Slots(0, 1), found)
        if found.refusals or not found.checked:
            raise RuntimeError(f"recorded blocks were refused: {found.refusals}")

    return follow, _cryptography(blocks)


def _cryptography(blocks: list[Any]) -> Callable[[], None]:
    import coincurve

    headers, ethereum, answers = _module("chain.headers"), _module("ethereum"), _module("node_answers")
    sealed = []
    for block in blocks[1:]:
        header = answers.answered_header(block)
        seals = headers.read_extra(header).seals
        sealed.append((header.before + header.extra_data + header.after, headers.seal_digest(header), seals))

    def alone() -> None:
        for encoded, digest, seals in sealed:
            ethereum.keccak256(encoded)
            ethereum.keccak256(encoded)
            for seal in seals:
                key = coincurve.PublicKey.from_signature_and_message(seal, digest, hasher=None)
                ethereum.keccak256(key.format(compressed=False)[1:])

    return alone


def _proving(proofs: list[Any]) -> tuple[Callable[[], None], Callable[[], None], int]:
    """Return the check of every recorded slot, the hashes that it cannot do without, and how many slots there are."""
    accounts, ethereum = _module("chain.accounts"), _module("ethereum")
    answers = [row["response"]["result"] for row in proofs]
    slots = [
        (_bytes(answer["storageHash"]), int(slot["key"], 16), [_bytes(node) for node in slot["proof"]])
        for answer in answers
        for slot in answer["storageProof"]
    ]

    def prove() -> None:
        for root, slot, nodes in slots:
            accounts.proven_slot(root, slot, nodes)

    def hash_nodes() -> None:
        for _, slot, nodes in slots:
            ethereum.keccak256(slot.to_bytes(32, "big"))
            for node in nodes:
                ethereum.keccak256(node)

    return prove, hash_nodes, len(slots)


def _of_source(row: Any) -> bool:
    return int(row["response"]["result"]["address"], 16) == 0x7777


def _rate(work: Callable[[], None]) -> float:
    """Return how often a second the work is done."""
    work()
    begin = time.process_time()
    for _ in range(ROUNDS):
        work()
    return ROUNDS / (time.process_time() - begin)


def _module(name: str) -> Any:
    return importlib.import_module(f"consilium_verify.{name}")


def _lines(name: str) -> list[Any]:
    return [json.loads(line) for line in Path(RECORDED / name).read_text().splitlines()]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _figure(name: str, value: float, unit: str, beside: str, compared_value: float, least: int) -> FigureDict:
    return figure(f"qbft: {name}", value, unit, beside=beside, compared_value=compared_value, at_least=least)
