"""The command line: `consilium-verify [--trust FILE] [--json] BUNDLE`, and `consilium-verify blocks ...`."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from consilium_verify.bundle import MAX_BUNDLE_BYTES
from consilium_verify.findings import Findings, TrustFileError
from consilium_verify.trust import Trust, read_trust
from consilium_verify.verification import Result, Verdict, verify
from consilium_verify.walk import Slots, walk

VERSION = "0.1.0"
USAGE = 2
_MAX_TRUST_BYTES = 1024 * 1024
_SENTENCES = {
    Verdict.VERIFIED: "VERIFIED: the bundle holds against the trust file.",
    Verdict.REFUSED: "REFUSED: do not rely on this bundle.",
    Verdict.ORIGIN_NOT_ESTABLISHED: "CONSISTENT, ORIGIN NOT ESTABLISHED: give a trust file obtained elsewhere.",
}
_OF_BLOCKS = {
    Verdict.VERIFIED: "VERIFIED: the blocks hold against the genesis file.",
    Verdict.REFUSED: "REFUSED: do not rely on these blocks.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify and print; return 0 verified, 1 refused, 2 usage, 3 consistent but origin not established."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["blocks"]:
        return _blocks(given[1:])
    options = _parser().parse_args(given)
    try:
        trust = None if options.trust is None else _trust(options.trust)
        data = _read(options.bundle, MAX_BUNDLE_BYTES + 1)
    except (OSError, TrustFileError) as error:
        sys.stderr.write(f"consilium-verify: {error}\n")
        return USAGE
    result = verify(data, trust)
    sys.stdout.write(_as_json(result) if options.json else _as_text(result, _SENTENCES))
    return result.verdict.value


def _blocks(arguments: Sequence[str]) -> int:
    """Follow a node's answers from a genesis file on; return 0 verified, 1 refused, 2 usage."""
    options = _parser_of_blocks().parse_args(arguments)
    findings = Findings()
    try:
        proofs = [] if options.proofs is None else options.proofs.read_bytes().splitlines()
        with options.headers.open("rb") as headers:
            walk(options.genesis.read_bytes(), headers, proofs, Slots(options.digest_slot, options.list_slot), findings)
    except OSError as error:
        sys.stderr.write(f"consilium-verify: {error}\n")
        return USAGE
    result = Result(Verdict.REFUSED if findings.refusals else Verdict.VERIFIED, findings)
    sys.stdout.write(_as_json(result) if options.json else _as_text(result, _OF_BLOCKS))
    return result.verdict.value


def _parser_of_blocks() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="consilium-verify blocks", description="Follow the blocks of a QBFT chain from its genesis file on."
    )
    parser.add_argument("--genesis", type=Path, required=True, metavar="FILE", help="the network's genesis file")
    parser.add_argument(
        "--headers", type=Path, required=True, metavar="FILE", help="answers to eth_getBlockByNumber, one a line"
    )
    parser.add_argument(
        "--proofs", type=Path, metavar="FILE", help='lines {"block": number, "proof": answer to eth_getProof}'
    )
    parser.add_argument("--digest-slot", type=_slot, default=1, metavar="N", help="slot of the list's digest (1)")
    parser.add_argument("--list-slot", type=_slot, default=0, metavar="N", help="slot of the list itself (0)")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    return parser


def _slot(text: str) -> int:
    number = int(text, 0)
    if not 0 <= number < 2**256:
        raise ValueError("no slot of a contract's storage")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="consilium-verify",
        description="Verify an evidence bundle off-line.",
        epilog="`consilium-verify blocks --help`: follow a node's blocks from a genesis file on.",
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the bundle (.zip)")
    parser.add_argument("--trust", type=Path, metavar="FILE", help="trust file, obtained outside the bundle")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    return parser


def _trust(path: Path) -> Trust:
    return read_trust(_read(path, _MAX_TRUST_BYTES))


def _read(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        return file.read(limit)


def _as_json(result: Result) -> str:
    findings = result.findings
    value = {
        "verdict": result.verdict.name.lower(),
        "verifier": VERSION,
        "refusals": [{"where": refusal.where, "reason": refusal.reason} for refusal in findings.refusals],
        "checked": findings.checked,
        "assumed": findings.assumed,
        "unchecked": findings.unchecked,
    }
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def _as_text(result: Result, sentences: Mapping[Verdict, str]) -> str:
    findings = result.findings
    lines = [sentences[result.verdict]]
    for title, items in (
        ("Refused", [f"{refusal.where}: {refusal.reason}" for refusal in findings.refusals]),
        ("Checked", findings.checked),
        ("Assumed", findings.assumed),
        ("Not checked", findings.unchecked),
    ):
        lines += ["", f"{title}:", *(f"  - {item}" for item in items)] if items else []
    # Names from the bundle must not steer the reader's terminal.
    text = "\n".join("".join(c if c.isprintable() else "?" for c in line) for line in lines)
    return text + "\n"
