"""`python -m benchmarks [NAMES]`: figures beside what they are compared to."""

import argparse
import os
import sys
from collections.abc import Sequence

from benchmarks.harness.discovery import UnknownBenchmarkError, choose, find_benchmarks
from benchmarks.harness.running import ROOT, Bench, BenchmarkFailedError
from benchmarks.harness.tables import place, table

DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None, *, bench: Bench | None = None) -> int:
    """Run the named benchmarks, all by default; 0 all gave figures, 1 one failed, 2 misuse.

    A missed goal is printed and counted. It is no failure: a goal stands for what is still to be reached.
    """
    bench = bench or Bench("benchmarks", ROOT / ".local" / "bench")
    known = find_benchmarks(bench.package)
    args = _parser().parse_args(arguments)
    if args.list:
        print("\n".join(f"{name:14}{line}" for name, line in known.items()))
        return DONE
    try:
        names = choose(args.names, list(known))
    except UnknownBenchmarkError as error:
        print(f"bench: {error}", file=sys.stderr)
        return MISUSED
    try:
        return _run(bench, names)
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure, print each figure beside what it is compared to, and keep it in .local/bench/NAME.json.",
    )
    made.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (default: all)")
    made.add_argument("--list", action="store_true", help="list the benchmarks there are")
    return made


def _run(bench: Bench, names: Sequence[str]) -> int:
    failed, missed = [], 0
    for number, name in enumerate(names, 1):
        print(f"bench: {name} ({number} of {len(names)})", file=sys.stderr, flush=True)
        try:
            document = bench.run(name)
        except BenchmarkFailedError as error:
            failed.append(name)
            print(f"bench: {name} gave no figures: {error}.", file=sys.stderr, flush=True)
            continue
        missed += sum(entry["met"] is False for entry in document["figures"])
        print(f"\n{name}: {place(document)}\n{table(document['figures'])}\n", flush=True)
    print(f"{_summary(len(names), failed, missed)} Results: {os.path.relpath(bench.results)}", flush=True)
    return FAILED if failed else DONE


def _summary(count: int, failed: Sequence[str], missed: int) -> str:
    said = f"{count - len(failed)} of {count} benchmarks gave figures; goals missed: {missed}."
    return f"{said} Failed: {', '.join(failed)}." if failed else said


if __name__ == "__main__":
    sys.exit(main())
