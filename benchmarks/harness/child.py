"""Runs one benchmark in a process of its own: `python -m benchmarks.harness.child MODULE FILE`."""

import importlib
import json
import sys
from pathlib import Path

from benchmarks.harness.figures import ensure_figures


def main(module: str, file: str) -> None:
    """Import the module, run it, and write its figures as JSON into the file."""
    figures = ensure_figures(importlib.import_module(module).run())
    Path(file).write_text(json.dumps(figures, allow_nan=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
