"""Run halmos over `contracts/solidity/symbolic`: what is asserted there holds for every value, or the run fails.

A check fails by a counterexample, by a time-out, and by never getting past its own assumptions. Loops are unrolled
eight times; where that was not all, halmos says so, and what it says is printed.

Functions named `unanswered_` state what is wanted, and the solver gives no answer within minutes: they are no proof and
no part of the gate. What they say is tried by fuzzing and by all small cases in `contracts/solidity/test` alone.
`--unanswered` asks again, for another solver or a larger machine.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOLIDITY = ROOT / "contracts" / "solidity"
ENVIRONMENT = ROOT / ".local" / "analysis"
# Of one contract's checks, and of one question to the solver.
TIMEOUT_SECONDS, SOLVER_MILLISECONDS = 900, 120_000
OPTIONS = (
    *("--root", ".", "--forge-build-out", "out/symbolic", "--no-status", "--loop", "8"),
    *("--default-array-lengths", "1,2", "--default-bytes-lengths", "65"),
    *("--solver-timeout-assertion", str(SOLVER_MILLISECONDS)),
)


def contracts(prefix: str) -> list[str]:
    """Return the contracts that have checks of that kind, one a file, named after it."""
    files = sorted((SOLIDITY / "symbolic").glob("*.t.sol"))
    return [f"{path.name.removesuffix('.t.sol')}Symbolic" for path in files if f"function {prefix}" in path.read_text()]


def hold(contract: str, prefix: str) -> bool:
    """Run one contract's checks; halmos' own words go to the terminal."""
    path = f"{SOLIDITY / 'analysis' / 'bin'}:{ENVIRONMENT / 'bin'}:{os.environ['PATH']}"
    # halmos keeps solvers in the home directory; its own comes with the package.
    settings = {"FOUNDRY_PROFILE": "symbolic", "FOUNDRY_LINT_LINT_ON_BUILD": "false", "HOME": str(ENVIRONMENT)}
    command = [str(ENVIRONMENT / "bin" / "halmos"), *OPTIONS, "--function", prefix, "--contract", contract]
    try:
        done = subprocess.run(
            command, cwd=SOLIDITY, env=os.environ | settings | {"PATH": path}, check=False, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"halmos: {contract} took more than {TIMEOUT_SECONDS} s\n")
        return False
    return done.returncode == 0


def main(arguments: list[str]) -> None:
    """Run all of them, or those named without their ending: `make halmos ARGS="Models Tally"`."""
    prefix = "unanswered_" if "--unanswered" in arguments else "check_"
    chosen = [f"{name}Symbolic" for name in arguments if not name.startswith("--")] or contracts(prefix)
    if unknown := set(chosen) - set(contracts(prefix)):
        sys.exit(f"There are no checks {', '.join(sorted(unknown))}; there are {', '.join(contracts(prefix))}.")
    if failed := [contract for contract in chosen if not hold(contract, prefix)]:
        sys.exit(f"halmos: {', '.join(failed)} did not hold")


if __name__ == "__main__":
    main(sys.argv[1:])
