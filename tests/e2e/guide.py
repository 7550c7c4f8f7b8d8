"""A guide as a program: its blocks in order, commands run and files written, in one shell.

Conventions: a block of `sh` is run; any other block is a file, whose name is the block's first line behind a comment
sign, and in which the shell puts its values. A block that says only `make ...` keeps running beside the others.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"(?://|#) ([\w.-]+)\n")
_END = "END-OF-FILE"


@dataclass(frozen=True)
class Guide:
    """What keeps running, and the script of everything else."""

    service: str
    script: str


def read_guide(path: Path) -> Guide:
    blocks = _BLOCK.findall(path.read_text())
    (service,) = [text.strip() for kind, text in blocks if kind == "sh" and text.startswith("make ")]
    steps = [_step(kind, text) for kind, text in blocks if text.strip() != service]
    return Guide(service, "\n".join(["set -eux", *steps]))


def _step(kind: str, text: str) -> str:
    if kind == "sh":
        return text
    name = _NAME.match(text)
    assert name, f"a block of {kind} names no file: {text[:60]}"
    return f"cat > {name[1]} <<{_END}\n{text[name.end() :]}{_END}\n"
