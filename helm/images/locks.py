"""Write the lock of each image: the part of requirements.lock that its programs need, with the same hashes.

    .venv/bin/python helm/images/locks.py          # write them
    .venv/bin/python helm/images/locks.py --check  # exit status 1 if one is not what it should be

Nothing is asked of an index: what needs what stands in the installed packages.
"""

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
# Where the images run, whatever machine this is called on.
IMAGE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_version": "3.11",
    "sys_platform": "linux",
}
# The lock's own conditions stay in it, so what only an early 3.11 needs is there for an early 3.11.
PATCHES = ("3.11.0", "3.11.14")
# What the agent imports; tests/helm/test_images.py holds the list to the code.
SITE = (
    *("coincurve", "cryptography", "fhir.resources", "httpx", "jinja2", "numpy", "pycryptodome"),
    *("python-multipart", "rfc8785", "starlette", "uvicorn", "web3"),
)
_BLOCK = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==.*?(?=^[A-Za-z0-9])", re.MULTILINE | re.DOTALL)


def wanted(image: str) -> list[str]:
    """Return what an image needs by name, as requirements."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {"platform": [], "coordinator": project["optional-dependencies"]["substra"]}
    return list(SITE) if image == "site" else [*project["dependencies"], *extras[image]]


def closure(requirements: Iterable[str]) -> set[str]:
    """Return the names of all packages that the requirements bring along."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(text), extra) for text in requirements for extra in ("", *Requirement(text).extras)]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        found.add(name)
        for text in distribution(name).requires or ():
            needed = Requirement(text)
            if is_needed(needed, extra):
                waiting += [(needed, also) for also in ("", *needed.extras)]
    return found


def is_needed(requirement: Requirement, extra: str) -> bool:
    marker = requirement.marker
    return marker is None or any(
        marker.evaluate(IMAGE | {"extra": extra, "python_full_version": patch}) for patch in PATCHES
    )


def lock_of(image: str) -> str:
    """Return the lock's text: blocks of requirements.lock, without its remarks on who needs what."""
    names = closure(wanted(image))
    blocks = [
        "\n".join(line for line in match[0].splitlines() if not line.lstrip().startswith("#"))
        for match in _BLOCK.finditer((ROOT / "requirements.lock").read_text() + "z")
        if canonicalize_name(match[1]) in names
    ]
    return f"# The part of requirements.lock for the image {image}: helm/images/locks.py\n" + "\n".join(blocks) + "\n"


def main(arguments: list[str]) -> int:
    differing = []
    for image in ("platform", "coordinator", "site"):
        path, text = HERE / f"{image}.lock", lock_of(image)
        if not path.exists() or path.read_text() != text:
            differing.append(path.name)
            if "--check" not in arguments:
                path.write_text(text)
    if "--check" in arguments and differing:
        sys.stderr.write(f"Not what requirements.lock asks for: {', '.join(differing)}. Run helm/images/locks.py.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
