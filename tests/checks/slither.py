"""Fail if the static analyser finds something that nobody explained, or no longer finds what somebody did.

Explanations are in `contracts/solidity/analysis/findings.toml`: one for each detector and function, with the
identifiers of its findings, so that one that goes and one that comes never cancel out.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOLIDITY = ROOT / "contracts" / "solidity"
EXPLAINED = SOLIDITY / "analysis" / "findings.toml"
MEASURED = SOLIDITY / "out" / "slither.json"
ENVIRONMENT = ROOT / ".local" / "analysis" / "bin"
FORGE = ROOT / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin"
# Of slither's 64 digits; as many as people compare.
ID_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """What slither says of one place: `where` is a contract's function or variable; `text` is for people."""

    check: str
    where: str
    id: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why findings of one detector at one place stay."""

    check: str
    where: str
    ids: tuple[str, ...]
    why: str


def explained(content: str) -> list[Explanation]:
    """Read the explanations.

    Raises
    ------
    ValueError
        If one has no sentence, or two explain the same place.
    """
    entries = [
        Explanation(entry["check"], entry["where"], tuple(entry["ids"]), entry["why"].strip())
        for entry in tomllib.loads(content)["finding"]
    ]
    places = [(entry.check, entry.where) for entry in entries]
    if twice := {place for place in places if places.count(place) > 1}:
        raise ValueError(f"Explained twice: {sorted(twice)}.")
    if silent := [entry.where for entry in entries if not entry.why]:
        raise ValueError(f"Not explained: {', '.join(silent)}.")
    return entries


def findings(report: Mapping[str, Any]) -> list[Finding]:
    """Return what the analyser reported."""
    return [
        Finding(found["check"], _place(found["elements"][0]), found["id"][:ID_DIGITS], found["description"].strip())
        for found in report["results"].get("detectors", [])
    ]


def differences(accepted: Sequence[Explanation], found: Sequence[Finding]) -> list[str]:
    """Return a sentence for each finding without an explanation, and for each explanation of nothing."""
    known = {(entry.check, entry.where, one) for entry in accepted for one in entry.ids}
    seen = {(one.check, one.where, one.id) for one in found}
    new = [one for one in found if (one.check, one.where, one.id) not in known]
    said = [f"new: {one.check} in {one.where} ({one.id})\n{one.text}" for one in new]
    gone = sorted(known - seen)
    return said + [f"gone: {check} in {where} ({one}): take it out" for check, where, one in gone]


def measure() -> Mapping[str, Any]:
    """Build with the syntax trees that slither reads, run it over `src`, and return its report.

    Raises
    ------
    SystemExit
        If the build or the analyser itself failed.
    """
    build = ["sh", str(SOLIDITY / "forge.sh"), "build", "--build-info", "--ast", "--skip", "test", "--force", "-q"]
    # Former builds' trees would be read too.
    for old in (SOLIDITY / "out" / "build-info").glob("*.json"):
        old.unlink()
    if subprocess.run(build, check=False).returncode != 0:
        sys.exit("slither: the contracts did not compile")
    MEASURED.unlink(missing_ok=True)
    command = [str(ENVIRONMENT / "slither"), ".", "--foundry-ignore-compile", "--filter-paths", "node_modules|test/"]
    environment = os.environ | {"PATH": f"{ENVIRONMENT}:{FORGE}:{os.environ['PATH']}"}
    done = subprocess.run(
        [*command, "--json", str(MEASURED)], cwd=SOLIDITY, env=environment, capture_output=True, check=False, text=True
    )
    report: Mapping[str, Any] = json.loads(MEASURED.read_text()) if MEASURED.is_file() else {}
    if not report.get("success"):
        sys.exit(f"slither failed:\n{done.stderr[-4000:]}")
    return report


def _place(element: Mapping[str, Any]) -> str:
    names, parent = [element["name"]], element.get("type_specific_fields", {}).get("parent")
    while parent and parent["type"] in ("contract", "function"):
        names.append(parent["name"])
        parent = parent.get("type_specific_fields", {}).get("parent")
    return ".".join(reversed(names))


def main() -> None:
    """Compare."""
    accepted, found = explained(EXPLAINED.read_text()), findings(measure())
    if not found:
        sys.exit("slither found nothing at all: it did not read the contracts")
    if wrong := differences(accepted, found):
        sys.exit("\n".join(["Fix it, or say why it stays in contracts/solidity/analysis/findings.toml:", *wrong]))
    sys.stdout.write(f"slither: {len(found)} findings, each explained in {len(accepted)} entries\n")


if __name__ == "__main__":
    main()
