"""Fail if an act costs 5 % more or less gas than the table says; `make gas ARGS=--accept` takes a change over.

The figures are those of `contracts/solidity/test/Gas.t.sol`, each call a transaction of its own.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SOLIDITY = Path(__file__).resolve().parents[2] / "contracts" / "solidity"
MEASURED = SOLIDITY / "out" / "gas" / "acts.json"
ACCEPTED, TABLE = SOLIDITY / "gas.json", SOLIDITY / "gas.md"
TOLERANCE_PERCENT = 5
BLOCK_GAS = 30_000_000
_ACCEPT = "--accept"
Figures = Mapping[str, int]


def measure() -> Figures:
    """Run the measuring tests and return gas by act.

    Raises
    ------
    SystemExit
        If they fail; forge's own words stand above.
    """
    MEASURED.unlink(missing_ok=True)
    command = ["sh", str(SOLIDITY / "forge.sh"), "test", "--match-contract", "GasTest", "--isolate", "-q"]
    if subprocess.run(command, check=False).returncode != 0 or not MEASURED.is_file():
        sys.exit("gas: the measuring tests did not pass; run 'make contracts-test'")
    return _read(MEASURED)


def differences(accepted: Figures, measured: Figures) -> list[str]:
    """Return a sentence for each act that costs otherwise than accepted, has no figure yet, or is gone."""
    found = [f"{act}: {measured[act]:,} gas is not in the table" for act in sorted(measured.keys() - accepted.keys())]
    found += [f"{act} is in the table and no longer measured" for act in sorted(accepted.keys() - measured.keys())]
    for act in sorted(accepted.keys() & measured.keys()):
        change = measured[act] - accepted[act]
        if abs(change) * 100 > TOLERANCE_PERCENT * accepted[act]:
            found.append(f"{act}: {accepted[act]:,} to {measured[act]:,} gas ({change / accepted[act]:+.1%})")
    return found


def table(figures: Figures) -> str:
    """Return the table as it is kept for people."""
    rows = [f"| {act} | {gas:,} | {BLOCK_GAS // gas:,} |" for act, gas in sorted(figures.items())]
    head = [
        "# What each act costs",
        "",
        "Gas costs nothing on these networks, and it bounds how much a block holds. Measured in a consortium of ten by "
        "`contracts/solidity/test/Gas.t.sol`, each call a transaction of its own. Written by "
        f"`make gas ARGS={_ACCEPT}`; `make gas` fails where an act costs {TOLERANCE_PERCENT} % more or less.",
        "",
        f"| act | gas | in a block of {BLOCK_GAS:,} |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


def accept(figures: Figures) -> None:
    """Write both forms of the table."""
    ACCEPTED.write_text(json.dumps(dict(sorted(figures.items())), indent=1) + "\n")
    TABLE.write_text(table(figures))


def accepted_figures() -> Figures:
    return _read(ACCEPTED)


def _read(path: Path) -> Figures:
    return {act: int(gas) for act, gas in json.loads(path.read_text()).items()}


def main(arguments: list[str]) -> None:
    """Compare, or take over."""
    figures = measure()
    if arguments == [_ACCEPT]:
        accept(figures)
    elif found := differences(accepted_figures(), figures):
        sys.exit("\n".join(["gas changed; accept it with: make gas ARGS=--accept", *found]))


if __name__ == "__main__":
    main(sys.argv[1:])
