"""Fail if the contracts' own tests take less than 95 % of the branches in `contracts/solidity/src`."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOLIDITY = ROOT / "contracts" / "solidity"
MEASURED = SOLIDITY / "out" / "coverage.lcov"
LOWEST_PERCENT = 95
_SOURCES = "src/"
_NEVER = frozenset({"-", "0"})


@dataclass(frozen=True, slots=True)
class Branch:
    """One way out of a condition, and whether a test took it."""

    file: str
    line: int
    is_taken: bool


def branches(lcov: str) -> list[Branch]:
    """Return the branches of the contracts, without those of the tests and of libraries of others."""
    found: list[Branch] = []
    file = ""
    for line in lcov.splitlines():
        if line.startswith("SF:"):
            file = line.removeprefix("SF:")
        elif line.startswith("BRDA:") and file.startswith(_SOURCES):
            number, _block, _branch, taken = line.removeprefix("BRDA:").split(",")
            found.append(Branch(file, int(number), taken not in _NEVER))
    return found


def verdict(found: Sequence[Branch]) -> tuple[bool, str]:
    """Return whether enough is taken, and what there is to say: the share, and each branch that no test takes."""
    taken = sum(branch.is_taken for branch in found)
    missed = [f"not taken: {branch.file}:{branch.line}" for branch in found if not branch.is_taken]
    if not found:
        return False, "coverage: no branch of src was measured at all"
    said = f"coverage: {taken} of {len(found)} branches of src ({taken / len(found):.1%}, at least {LOWEST_PERCENT} %)"
    return taken * 100 >= LOWEST_PERCENT * len(found), "\n".join([said, *missed])


def main() -> None:
    """Measure and judge."""
    MEASURED.unlink(missing_ok=True)
    command = ["sh", str(SOLIDITY / "forge.sh"), "coverage", "--report", "lcov", "--report-file", str(MEASURED)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0 or not MEASURED.is_file():
        sys.exit(f"coverage: the contracts' tests did not pass\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    is_enough, said = verdict(branches(MEASURED.read_text()))
    if not is_enough:
        sys.exit(said)
    sys.stdout.write(said + "\n")


if __name__ == "__main__":
    main()
