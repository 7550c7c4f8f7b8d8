"""Fail if a lock file names a host: a hospital installs from its own mirror."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_URL = re.compile(r"https?://[^\s\"']+")


def named_hosts() -> list[str]:
    """Return every address that a lock file names, as `file: address`."""
    locks = sorted(
        lock
        for folder in (".", "verifier", "helm", "helm/images", "contracts/solidity/analysis")
        for lock in (ROOT / folder).glob("*.lock")
    )
    found = [f"{lock.relative_to(ROOT)}: {url}" for lock in locks for url in _URL.findall(lock.read_text())]
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    found += [
        f"package-lock.json: {name}: {entry['resolved']}" for name, entry in packages.items() if "resolved" in entry
    ]
    return found


if __name__ == "__main__":
    if hosts := named_hosts():
        sys.exit("Lock files name hosts:\n" + "\n".join(hosts))
