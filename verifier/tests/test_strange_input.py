"""Whatever is written in the files of a chain: the verifier refuses and never falls over."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import recordings as rec
from consilium_verify.findings import Findings
from consilium_verify.trust import read_trust
from consilium_verify.verification import Verdict, verify
from consilium_verify.walk import Slots, walk
from sealed_bundle import SealedBundle

STRANGE: list[Any] = [
    *(None, True, -1, 1.5, 10**30, [], {}, "", "0x", "0xzz", "0x0", "0X00", "x", [[]], {"a": 1}, ["0x"], 2**63),
    *("0x" + "ff" * 31, "0x" + "ff" * 33, "0x" + "c0" * 70, "0x" + "00" * 20, "0x" + "ff" * 5000, "\ud800"),
]

SAME: list[list[Any]] = [["0x00", "0x"], [None, None]]


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value below this one."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in below for found in [(*way, key), *places(item, (*way, key))]]


def made_strange(document: Any, dice: random.Random) -> Any:
    changed = json.loads(json.dumps(document))
    # A list as a whole may be empty: what is not said is not proven, and not refused.
    *way, last = dice.choice([way for way in places(changed) if way[1:] or not isinstance(changed[way[0]], list)])
    target = changed
    for step in way:
        target = target[step]
    if isinstance(target, dict) and dice.randrange(4) == 0:
        del target[last]
    else:
        # "0x" is how zero may be written too: another spelling, not another value.
        target[last] = dice.choice([value for value in STRANGE if [target[last], value] not in SAME])
    return changed


def strange_bundles(count: int, seed: int) -> None:
    dice, made = random.Random(seed), SealedBundle.honest()  # noqa: S311 samples, no secrets
    files, trust = made.files(), read_trust(made.trust())
    paths = ["chain/blocks.json", "chain/receipts.json", "chain/anchors.json"]
    documents = {path: json.loads(files[path]) for path in paths}
    for _ in range(count):
        path = dice.choice(paths)
        written = json.dumps(made_strange(documents[path], dice), sort_keys=True, separators=(",", ":"))
        result = verify(made.zipped({**files, path: written.encode()}), trust)
        assert result.verdict is Verdict.REFUSED, written


def strange_answers(count: int, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 samples, no secrets
    genesis = (rec.FOLDER / "genesis.json").read_bytes()
    blocks = rec.lines("blocks.jsonl")[:22]
    proof = next(row["response"]["result"] for row in rec.lines("proofs.jsonl") if row["block"] == 20)
    for _ in range(count):
        lines = [json.dumps(block).encode() for block in blocks]
        chosen = dice.randrange(len(lines))
        lines[chosen] = json.dumps(made_strange(blocks[chosen], dice)).encode()
        row = json.dumps(made_strange({"block": 20, "proof": proof}, dice)).encode()
        walk(genesis, lines, [row], Slots(0, 1), Findings())
        changed = json.dumps(made_strange(json.loads(genesis), dice)).encode()
        walk(changed, [], [row], Slots(0, 1), Findings())


def test_strange_values_in_a_bundle_are_refused() -> None:
    strange_bundles(150, seed=1)


def test_strange_answers_of_a_node_make_no_crash() -> None:
    strange_answers(100, seed=1)


@pytest.mark.soak
def test_thousands_of_strange_values_are_refused() -> None:
    strange_bundles(5000, seed=2)
    strange_answers(2000, seed=2)


@pytest.mark.parametrize("line", [b"", b"[]", b"null", b"{}", b"\xff", b"[" * 5000])
def test_line_that_is_no_answer_is_refused(line: bytes) -> None:
    findings = Findings()

    walk(Path(rec.FOLDER / "genesis.json").read_bytes(), [line], [], Slots(0, 1), findings)

    assert [refusal.where for refusal in findings.refusals] == ["blocks line 1"]
