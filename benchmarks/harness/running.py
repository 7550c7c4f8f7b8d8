"""One benchmark after the other, each in a process of its own, so that none can spoil another's figures."""

import datetime
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.harness.figures import FigureDict
from benchmarks.harness.machine import describe_commit, describe_machine

ROOT: Final = Path(__file__).resolve().parents[2]
# No benchmark takes a tenth of it; one that hangs must not hold up the others for ever.
LIMIT_SECONDS: Final = 3600


class BenchmarkFailedError(Exception):
    """A benchmark that gave no figures; the message says how it ended."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A package of benchmarks and the folder for their results."""

    package: str
    results: Path

    def run(self, name: str, *, limit_seconds: float = LIMIT_SECONDS) -> dict[str, Any]:
        """Run one benchmark, keep its figures in `<name>.json` with machine and commit beside them, and return all.

        Raises
        ------
        BenchmarkFailedError
            Its traceback stands on standard error; an earlier result of that name is left as it was.
        """
        self.results.mkdir(parents=True, exist_ok=True)
        begin = time.monotonic()
        facts = {
            "benchmark": name,
            "started_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            **describe_commit(ROOT),
            "machine": describe_machine(),
        }
        figures = self._figures(name, limit_seconds)
        document = {**facts, "wall_seconds": round(time.monotonic() - begin, 1), "figures": figures}
        self._keep(name, document)
        return document

    def _figures(self, name: str, limit_seconds: float) -> list[FigureDict]:
        answer = self.results / f".{name}.{os.getpid()}.figures"
        command = [sys.executable, "-m", "benchmarks.harness.child", f"{self.package}.{name}", str(answer)]
        try:
            done = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, timeout=limit_seconds, check=False)
            if done.returncode != 0:
                raise BenchmarkFailedError(f"it ended with exit status {done.returncode}")
            if not answer.exists():
                raise BenchmarkFailedError("it ended without figures")
            figures: list[FigureDict] = json.loads(answer.read_text())
        except subprocess.TimeoutExpired as error:
            raise BenchmarkFailedError(f"it took more than {limit_seconds:g} s") from error
        finally:
            answer.unlink(missing_ok=True)
        return figures

    def _keep(self, name: str, document: dict[str, Any]) -> None:
        target = self.results / f"{name}.json"
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        draft.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n")
        draft.replace(target)
