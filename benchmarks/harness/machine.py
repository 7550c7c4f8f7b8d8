"""Where and on what a figure was measured: without it the figure means nothing to anybody else."""

import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def describe_machine() -> dict[str, Any]:
    """Return cores that this process may use, memory, processor, Python, and how busy the machine was."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "processor": next(_processor_names(), platform.machine()),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def describe_commit(root: Path) -> dict[str, Any]:
    """Return the commit, and whether files differ from it; null where there is no git or no repository."""
    commit, changes = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain")
    return {"commit": commit or None, "is_modified": None if changes is None else bool(changes)}


def _processor_names() -> Iterator[str]:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                yield value.strip()


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
