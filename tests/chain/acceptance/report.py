"""What a run came to, in words and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from tests.chain.acceptance.plugin import Told
from tests.chain.acceptance.preflight import Seen

# Never run on a given network, and why.
LEFT_OUT = {
    "lost blocks, lost pools, frozen heads, nodes that lie or stop": "they need a node that breaks on command "
    "(tests/besu models it, and anvil is killed: tests/integration/contracts/test_real_faults.py)",
    "a price, or a value, from an account without balance": "it would block the account's nonce for ever",
    "an account that leaves the allow-list, drift of lists, a joining member": "they change who may connect or send",
    "changes of the network's validators": "they would touch who makes its blocks",
    "tests that mine or set balances (evm_mine, anvil_*)": "only a development node has these methods",
    "anvil's own words": "they are another program's",
}
_WORDS = {"passed": "held", "failed": "DID NOT HOLD", "skipped": "left out"}


def in_words(seen: Seen, told: Sequence[Told], unknown: Sequence[str]) -> Iterator[str]:
    """The report for people, line by line."""
    yield "Besu acceptance: what held on this network"
    for address, version in seen.versions.items():
        yield f"  {address}: {version}"
    yield f"  genesis {seen.genesis}; {seen.mode}"
    for group, rows in groupby(sorted(told, key=_place), key=lambda row: row.group):
        yield f"\n{group}"
        for row in rows:
            yield f"  {_WORDS[row.outcome]:<12}  {row.sentence}"
            yield from ([f"{'':<16}{row.reason}"] if row.reason else [])
    yield "\nanswers that the programs have no meaning for"
    yield from (f"  {answer}" for answer in unknown or ["none"])
    yield "\nnever run on a given network"
    yield from (f"  {what}: {why}" for what, why in LEFT_OUT.items())
    counts = {word: sum(row.outcome == outcome for row in told) for outcome, word in _WORDS.items()}
    yield "\n" + ", ".join(f"{count} {word}" for word, count in counts.items())


def _place(row: Told) -> tuple[str, str]:
    """Tests run in any order, and are told in one."""
    return row.group, row.sentence


def write_report(path: Path, seen: Seen, told: Sequence[Told], unknown: Sequence[str]) -> None:
    """The same for programs."""
    document = {
        "network": asdict(seen),
        "tests": [asdict(row) for row in sorted(told, key=_place)],
        "unknown_answers": list(unknown),
        "left_out": LEFT_OUT,
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
