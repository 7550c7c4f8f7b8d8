"""The verifier in a process of its own: its folder on the path, the platform and Django out of reach."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consortium.embedded.layout import project_root

# A verifier that imported anything of ours would excuse our faults; here it would not start.
_ALONE = """
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"django", "consortium", "audit", "contracts", "consent", "training", "agent"}:
            raise ImportError(f"{name} is out of reach")
sys.meta_path.insert(0, Wall())
from consilium_verify.cli import main
sys.exit(main(sys.argv[1:]))
"""


@dataclass(frozen=True)
class Answer:
    """What the verifier said."""

    status: int
    verdict: str
    refusals: list[dict[str, str]]
    checked: list[str]
    unchecked: list[str]

    @property
    def places(self) -> set[str]:
        return {refusal["where"] for refusal in self.refusals}


def verify(bundle: bytes, trust: dict[str, Any] | None, folder: Path) -> Answer:
    """Run `consilium-verify --json`, with a trust file if one is given."""
    (folder / "bundle.zip").write_bytes(bundle)
    arguments = ["--json", str(folder / "bundle.zip")]
    if trust is not None:
        (folder / "trust.json").write_text(json.dumps(trust))
        arguments += ["--trust", str(folder / "trust.json")]
    done = subprocess.run(
        [sys.executable, "-P", "-c", _ALONE, *arguments],
        env={"PYTHONPATH": str(project_root() / "verifier"), "PYTHONSAFEPATH": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    return Answer(done.returncode, found["verdict"], found["refusals"], found["checked"], found["unchecked"])
